"""Postgres, Redis, Qdrant, Kafka: one module each, all with `build(context)`."""
