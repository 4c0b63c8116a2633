"""The programs of ours: API, consumer, migration, and the ways to them."""
