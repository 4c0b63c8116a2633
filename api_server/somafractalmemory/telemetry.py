"""Structured logs and the metrics of both programs."""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("api_requests", "Requests by route template.", ["endpoint", "method"])
RESPONSES = Counter("api_responses", "Responses by route template and status.", ["endpoint", "method", "status"])
LATENCY = Histogram(
    "api_request_latency_seconds",
    "Time until the last byte of the response.",
    ["endpoint", "method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
NOT_FOUND = Counter("http_404_requests", "Requests answered 404.")
GRPC_CALLS = Counter("soma_grpc_calls", "gRPC calls by method and status.", ["method", "code"])
GRPC_LATENCY = Histogram(
    "soma_grpc_call_latency_seconds",
    "Time until the last message of the answer.",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
STORED = Counter("soma_memory_store", "Memories committed.", ["namespace"])
REPLAYED = Counter("soma_replayed_answers", "Repeated requests that were answered from their Idempotency-Key.")
COMPONENT_UP = Gauge("soma_component_up", "1 when the last health check of a store succeeded.", ["component"])
INDEX_FAILURES = Counter("soma_index_failures", "Index writes that failed and were left to the outbox.", ["operation"])
DEGRADED_RECALLS = Counter("soma_degraded_recalls", "Recalls answered by Postgres because the index was away.")
LIMITER_FALLBACKS = Counter("soma_limiter_fallbacks", "Requests counted in this process because Redis was away.")
LOCKS = Counter("soma_locks", "Attempts to take a lock, by how they ended; and locks lost while held.", ["outcome"])
USAGE_DROPPED = Counter("soma_usage_dropped", "Retrievals that were not counted because too many were waiting.")
AUDIT_DROPPED = Counter("soma_audit_dropped", "Stores that were not written down because too many were waiting.")
SHED = Counter("soma_decayed_memories", "Memories that lost keys because of their age.")
PRUNED = Counter(
    "soma_pruned_memories", "Memories deleted because their namespace held more than SOMA_MAX_MEMORY_SIZE."
)
UPKEEP_FAILURES = Counter("soma_upkeep_failures", "Rounds of upkeep that failed; each is repeated.", ["chore"])
OUTBOX_ROWS = Gauge("soma_outbox_rows", "Committed events that are not published yet.")
OUTBOX_AGE = Gauge("soma_outbox_age_seconds", "Age of the oldest unpublished event.")
RELAY_LEADER = Gauge("soma_relay_leader", "1 in the process that publishes.")
RELAY_PUBLISHED = Counter("soma_relay_published", "Events published.")
RELAY_FAILURES = Counter("soma_relay_failures", "Rounds of publishing that failed, by what failed.", ["reason"])

CONSUMED = Counter("consumer_messages_consumed", "Messages read.", ["topic"])
PROCESS_SUCCESS = Counter("consumer_process_success", "Events applied.", ["component"])
PROCESS_FAILURE = Counter("consumer_process_failure", "Failed attempts to apply events.", ["component"])
PROCESS_LATENCY = Histogram("consumer_processing_latency_seconds", "Time to apply a batch.", ["component"])
DEAD_LETTERS = Counter("consumer_dead_letters", "Events set aside in the dead letter topic.", ["reason"])
CONSUMER_RETRIES = Counter("consumer_retries", "Batches tried again because a store was away.")
CONSUMER_LAG = Gauge("consumer_lag_messages", "Messages not read yet.", ["topic", "partition"])
REBUILT = Counter("soma_index_rebuilt_memories", "Memories indexed again after the index was lost.")


_MAX_NAMESPACES = 100
_named: set[str] = set()


def namespace_label(namespace: str) -> str:
    """The namespace while there are few of them, else `other`: callers can invent names, but no endless series."""
    if namespace in _named:
        return namespace
    if len(_named) >= _MAX_NAMESPACES:
        return "other"
    _named.add(namespace)
    return namespace


def configure_logs(level: str) -> None:
    """JSON lines on stderr, our own and the libraries' alike."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    for noisy in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log_as_a_guest() -> None:
    """Inside somebody else's program: through its own logging, unless it has set up structlog itself."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.stdlib.add_log_level,
                structlog.processors.format_exc_info,
                structlog.processors.KeyValueRenderer(key_order=["event"]),
            ],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=True,
        )
