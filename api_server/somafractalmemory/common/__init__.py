"""Import paths of the original program."""
