"""Request and response bodies. Unknown fields are refused; every number and text has a bound."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from somafractalmemory.model import MAX_COORDINATE_TEXT, MemoryType

Coord = Annotated[
    str, Field(max_length=MAX_COORDINATE_TEXT, description="Numbers separated by commas.", examples=["1,2.5,3"])
]
Filters = Annotated[dict[str, Any], Field(max_length=32, description="Payload fields that must be equal.")]


class StoreRequest(BaseModel):
    """A memory and its place."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"coord": "1,2,3", "payload": {"fact": "cats purr"}, "type": "semantic"}]},
    )

    coord: Coord
    payload: Annotated[
        dict[str, Any], Field(description="Any JSON object; `importance` and `timestamp` are understood.")
    ]
    type: MemoryType | None = MemoryType.EPISODIC


class StoreResponse(BaseModel):
    """The memory is committed. `indexed` is false while recall cannot find it yet; that mends itself."""

    ok: bool = True
    indexed: bool = True
    version: int = 1


class RecallRequest(BaseModel):
    """What to remember."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"query": "what do cats do", "top_k": 5}]}
    )

    query: Annotated[str, Field(max_length=16_384)]
    top_k: Annotated[int, Field(ge=1, le=1000)] = 5
    type: MemoryType | None = None
    filters: Filters | None = None
    hybrid: bool | None = None


class RecallResponse(BaseModel):
    """Memories, best first: the caller's payload flattened with ours. `degraded` names stores that took no part."""

    matches: list[dict[str, Any]]
    degraded: list[str] | None = None


class MemoryResponse(BaseModel):
    """One memory with its payload kept apart."""

    coordinate: list[float]
    memory_type: MemoryType
    payload: dict[str, Any]
    importance: float
    importance_norm: float
    timestamp: float | None
    version: int
    created_at: float
    updated_at: float


class StatsResponse(BaseModel):
    """Counts of one namespace."""

    total_memories: int
    episodic: int
    semantic: int


class Problem(BaseModel):
    """RFC 9457 problem details; `detail` says what to do, `errors` lists wrong fields."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = None
