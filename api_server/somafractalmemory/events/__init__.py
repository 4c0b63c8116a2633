"""From the outbox over Kafka to the consumer, and back from its dead letters. `model.events` is an event."""
