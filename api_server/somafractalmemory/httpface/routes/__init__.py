"""Routes parse, call the service once, and shape the answer. They live in few files so that each stays a few lines."""
