"""Variables and keys of earlier releases that do nothing here, each with the reason. Setting one is no error."""

import re

VARIABLES = {
    "SKIP_SCHEMA_VALIDATION": "events are always validated",
    "VECTOR_INDEX_ASYNC": "a store always indexes in the same request; what fails is repaired from the outbox",
    "SOMA_RATE_MAX": "a second name of SOMA_RATE_LIMIT_MAX that nothing read",
    "SOMA_SKIP_DEP_WAIT": "programs start without their stores and use each as soon as it answers",
    "SOMA_FAST_START": "programs start without their stores and use each as soon as it answers",
    "UVICORN_APP": "`soma serve` starts the server; there is no shell entrypoint",
    "UVICORN_EXTRA_ARGS": "`soma serve` starts the server; there is no shell entrypoint",
    "START_ASYNC_GRPC": "`soma serve` starts the server; there is no shell entrypoint",
    "QDRANT_EXTRA_COLLECTION": "it made a second copy of every vector",
    "SOMA_LANGFUSE_PUBLIC": "it had no effect; the predictor it belonged to is gone",
    "SOMA_LANGFUSE_SECRET": "it had no effect; the predictor it belonged to is gone",
    "SOMA_LANGFUSE_HOST": "it had no effect; the predictor it belonged to is gone",
    "SFM_FAST_CORE": "embeddings are hashed tokens beside BM25",
    "SOMA_MODEL_NAME": "embeddings are hashed tokens beside BM25",
    "SOMA_FORCE_HASH_EMBEDDINGS": "embeddings are hashed tokens beside BM25",
    "SOMA_INFRA__NAME": "addresses are not guessed from names: set each store's own variable",
    "SOMA_LANGFUSE__NAME": "it had no effect; the predictor it belonged to is gone",
    "SOMA_INFRA_AVAILABLE": "tests find or start their stores themselves",
    "SOMA_TEST_API_BASE_URL": "tests find or start their stores themselves",
    "SOMA_HELM_RELEASE": "the charts and the operator deploy; there is no deploy script",
    "SOMA_IMAGE_REPO": "the charts and the operator deploy; there is no deploy script",
    "SOMA_IMAGE_TAG": "the charts and the operator deploy; there is no deploy script",
    "SOMA_PORT": "the charts and the operator deploy; there is no deploy script",
}

KEYS = {
    "langfuse_public": "the predictor it belonged to is gone",
    "langfuse_secret": "the predictor it belonged to is gone",
    "langfuse_host": "the predictor it belonged to is gone",
    "langfuse": "the predictor it belonged to is gone",
    "infra": "addresses are not guessed from names: set each store's own address",
    "model_name": "embeddings are hashed tokens beside BM25",
    "redis.testing": "stores in this process are asked for with `soma serve --embedded`",
    "eventing.schema_registry_url": "the schema belongs to the program",
    "eventing.topics.memory_audit": "the audit is a table",
    "memory_enterprise": "it has another name, or no purpose, here: see docs/configuration.md",
}

_FAMILY = re.compile(r"^(SOMA_INFRA|SOMA_LANGFUSE)__\w+$")


def reason_of(variable: str) -> str | None:
    """Why a variable does nothing; None when it is none of these."""
    family = _FAMILY.match(variable)
    return VARIABLES.get(f"{family.group(1)}__NAME" if family else variable)


def reason_of_key(place: str) -> str | None:
    """Why a key of a file does nothing; None when it is none of these."""
    return next((KEYS[known] for known in KEYS if place == known or place.startswith(f"{known}.")), None)
