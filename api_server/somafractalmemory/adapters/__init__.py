"""One module for each server, plus `local`, which needs none. Client errors become ours here."""
