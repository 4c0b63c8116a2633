"""The decisions: what is refused, which passwords are used, where a recovery stands, what is to be done.

Pure: no client, no clock, no randomness. Imports `model` and `resource`.
"""
