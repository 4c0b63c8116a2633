"""Request and response bodies. Unknown fields are refused; every number and text has a bound."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict

from somafractalmemory.model import MAX_COORDINATE_TEXT, MemoryType
from somafractalmemory.schemas.values import PAYLOAD

_NUMBER = r"[+-]?([0-9]{1,300}(\.[0-9]{0,40})?|\.[0-9]{1,40}|[0-9]{1,9}(\.[0-9]{0,40})?[eE][+-]?[0-2]?[0-9]{1,2})"
COORD_PATTERN = rf"^ *{_NUMBER}( *, *{_NUMBER}){{0,63}} *$"
"""What clients should send. The service takes some more, such as `1e300`, and tells precisely what is wrong."""


def _no_text(value: Any) -> Any:
    if isinstance(value, str | bool):
        raise ValueError("this is a number, not a text or a truth value")  # noqa: TRY004  # pydantic wants this one
    return value


Numeric = BeforeValidator(_no_text)
Flag = Annotated[bool, Strict()]
Coord = Annotated[
    str,
    Field(
        max_length=MAX_COORDINATE_TEXT,
        description="1 to 64 finite numbers separated by commas.",
        examples=["1,2.5,3"],
        json_schema_extra={"pattern": COORD_PATTERN},
    ),
]


class StoreRequest(BaseModel):
    """A memory and its place."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"coord": "1,2,3", "payload": {"fact": "cats purr"}, "type": "semantic"}]},
    )

    coord: Coord
    payload: Annotated[
        dict[str, Any],
        Field(
            description="Any JSON object without NUL characters; `importance` and `timestamp` are understood.",
            json_schema_extra=PAYLOAD,
        ),
    ]
    type: MemoryType | None = MemoryType.EPISODIC


class BulkRequest(BaseModel):
    """Memories to be stored together: all or none."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[StoreRequest], Field(max_length=1000)]


class LineError(BaseModel):
    """A line that was not taken, and why; lines count from 1."""

    line: int
    detail: str


class BulkResponse(BaseModel):
    """How many memories were committed; of several items at one place the last one counts.

    For lines: `stored` and `failed` count lines, `errors` tells of the first that failed.
    """

    stored: int
    indexed: bool = True
    failed: int | None = None
    errors: list[LineError] | None = None


class StoreResponse(BaseModel):
    """The memory is committed. `indexed` is false while recall cannot find it yet; that mends itself."""

    ok: bool = True
    indexed: bool = True
    version: int = 1


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
    access_count: int
    accessed_at: float | None


class AmendRequest(BaseModel):
    """What to change: `payload` is a JSON merge patch, in which null removes a field."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"payload": {"mood": "content", "draft": None}}]}
    )

    payload: Annotated[dict[str, Any], Field(json_schema_extra=PAYLOAD)]
    type: MemoryType | None = None


class ImportanceRequest(BaseModel):
    """How much a memory matters; 1 is what a memory without an importance has."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"importance": 5}]})

    importance: Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False), Numeric]


class DeleteManyRequest(BaseModel):
    """Places to be emptied together."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"coords": ["1,2,3", "4,5,6"]}]})

    coords: Annotated[list[Coord], Field(max_length=1000)]


class DeletedResponse(BaseModel):
    """How many memories lived there; `indexed` is false while the index has not heard of it."""

    deleted: int
    indexed: bool = True


class VersionsResponse(BaseModel):
    """The memory as it is and as it was, newest first; the last 20 replaced versions are kept."""

    versions: list[MemoryResponse]


class PageQuery(BaseModel):
    """Which memories to list; `after` is the `next` of the page before."""

    model_config = ConfigDict(extra="forbid")

    type: MemoryType | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Coord | None = None


class PageResponse(BaseModel):
    """Memories in the order of their places; `next` when there may be more."""

    memories: list[MemoryResponse]
    next: str | None = None


class StatsResponse(BaseModel):
    """Counts of one namespace."""

    total_memories: int
    episodic: int
    semantic: int


class LivenessResponse(BaseModel):
    """The process lives; the four booleans are the stores as they were at the last look."""

    status: str
    kv_store: bool
    vector_store: bool
    graph_store: bool
    prediction_provider: bool


class StoreHealth(BaseModel):
    """How one store answered, and how fast."""

    ok: bool
    required: bool
    detail: str
    ms: float


class HealthResponse(LivenessResponse):
    """Every store by its name; `status` is ok, degraded (a store that is not required is away) or unavailable."""

    components: dict[str, StoreHealth]


class Problem(BaseModel):
    """RFC 9457 problem details; `detail` says what to do, `errors` lists wrong fields."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = None


BODIES: tuple[type[BaseModel], ...] = (
    StoreRequest,
    BulkRequest,
    AmendRequest,
    ImportanceRequest,
    DeleteManyRequest,
)
