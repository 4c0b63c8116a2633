"""TLS: whose certificates are in force, by whom they are signed, and who is trusted."""
