"""Commands of operation: they work on the stores, tokens and settings themselves, without an API."""
