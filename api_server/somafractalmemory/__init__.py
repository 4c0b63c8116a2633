"""SomaFractalMemory: a memory service whose truth is Postgres.

A request enters by a face (`httpface`, `grpcface`, `cli`), which calls one method of `service`; that puts the
`usecases` together over `ports`; `adapters` implement the ports with Postgres, Redis, Qdrant and Kafka (or, in
`adapters.local`, in this process). A write is committed in Postgres with a row in its outbox; then its vectors are put
into the index; `events.relay` publishes the outbox to Kafka; `events.consumer` reads the events back and mends whatever
the index missed. `wiring` alone picks adapters.
"""

__version__ = "0.1.0"
