# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""What is remembered, and how it fades."""

from typing import Annotated

from pydantic import Field, StringConstraints

from somamemory_operator.resource.base import Model


class DecayLevel(Model):
    """Fields that fade together."""

    after_seconds: Annotated[int, Field(ge=0, le=10_000_000_000)]
    """How long after it was last stored a memory loses them."""
    keys: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[^,;\[\]]+$", min_length=1, max_length=256)]],
        Field(min_length=1, max_length=64),
    ]
    """Names of top-level fields."""


class Memory(Model):
    """What is remembered, and how."""

    namespace: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][-A-Za-z0-9._:]*$", max_length=128)] = "api_ns"
    """Namespace of memories that a request without one uses."""
    vector_dim: Annotated[int, Field(ge=16, le=8192)] = 768
    """Number of dimensions of the vectors; a change rebuilds the index."""
    max_memories: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """Most memories of a namespace; beyond it the least important, oldest first, are deleted. 0 means no limit."""
    decay: Annotated[list[DecayLevel], Field(max_length=16)] = []
    """Which fields of memories fade, and when; none when empty."""
