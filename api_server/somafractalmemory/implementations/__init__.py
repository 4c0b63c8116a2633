"""Stores that programs may use by themselves, under the names of the first releases."""
