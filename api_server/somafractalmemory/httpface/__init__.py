"""HTTP: the same service behind the first door. `guard` lets requests in; `routes` speak `schemas` to it."""
