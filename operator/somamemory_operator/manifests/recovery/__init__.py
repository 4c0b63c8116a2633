"""Dumps, and the way back from one."""
