"""What the service does, one module for each purpose, over ports only. `service` puts them together."""
