"""The service for programs that are not asynchronous: its own event loop in a thread, and plain methods over it."""
