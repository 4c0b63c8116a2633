"""Bodies of the recall family. Unknown fields are refused; every number and text has a bound."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from somafractalmemory.model import MemoryType
from somafractalmemory.model.mistakes import NO_NUL
from somafractalmemory.model.wording import MAX_TERM, MAX_TERMS, Mode
from somafractalmemory.schemas.memories import Coord, Flag, Numeric
from somafractalmemory.schemas.values import OBJECT

Filters = Annotated[
    dict[str, Any],
    Field(
        max_length=32,
        description="Payload fields that must be equal.",
        json_schema_extra={**OBJECT, "maxProperties": 32},
    ),
]
Query = Annotated[str, Field(max_length=16_384)]
TopK = Annotated[int, Field(ge=1, le=1000), Numeric]
Word = Annotated[str, Field(min_length=1, max_length=MAX_TERM, json_schema_extra={"pattern": NO_NUL})]
Exact = Annotated[Flag, Field(description="Terms are whole words, in order; else any characters in a row.")]
Explain = Annotated[Flag, Field(description="Also tell the parts that add up to each score.")]


class RecallRequest(BaseModel):
    """What to remember."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"query": "what do cats do", "top_k": 5}]}
    )

    query: Query
    top_k: TopK = 5
    type: MemoryType | None = None
    filters: Filters | None = None
    hybrid: Flag | None = None
    explain: Explain = False


class RecallBatchRequest(BaseModel):
    """Several queries under the same conditions."""

    model_config = ConfigDict(extra="forbid")

    queries: Annotated[list[Query], Field(max_length=64)]
    top_k: TopK = 5
    type: MemoryType | None = None
    filters: Filters | None = None
    hybrid: Flag | None = None


class ScoredRequest(BaseModel):
    """A query whose answer tells scores; with `hybrid: true` the query's own terms are looked for too."""

    model_config = ConfigDict(extra="forbid")

    query: Query
    top_k: TopK = 5
    type: MemoryType | None = None
    filters: Filters | None = None
    hybrid: Flag | None = None
    exact: Exact = True
    case_sensitive: Flag = False
    explain: Explain = False


class HybridScoredRequest(BaseModel):
    """A query with terms, each of which adds its share of `boost`; without terms they are taken from the query."""

    model_config = ConfigDict(extra="forbid")

    query: Query
    terms: Annotated[list[Word], Field(max_length=MAX_TERMS)] | None = None
    boost: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False), Numeric] = 2.0
    top_k: TopK = 5
    type: MemoryType | None = None
    filters: Filters | None = None
    exact: Exact = True
    case_sensitive: Flag = False
    explain: Explain = False


class ContextRequest(BaseModel):
    """A query and the circumstances: what resembles them as well comes first."""

    model_config = ConfigDict(extra="forbid")

    query: Query
    context: Annotated[
        dict[str, Any],
        Field(description="Any JSON object; its values count, its keys do not.", json_schema_extra=OBJECT),
    ]
    top_k: TopK = 5
    type: MemoryType | None = None
    filters: Filters | None = None


class ExplainRequest(BaseModel):
    """Any form of recall, to see what its scores are made of; terms are only taken from here."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"query": "what do cats do", "terms": ["purr"], "top_k": 3}]}
    )

    query: Query
    top_k: TopK = 5
    type: MemoryType | None = None
    filters: Filters | None = None
    hybrid: Flag | None = None
    terms: Annotated[list[Word], Field(max_length=MAX_TERMS)] = []
    boost: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False), Numeric] = 2.0
    exact: Exact = True
    case_sensitive: Flag = False
    context: (
        Annotated[dict[str, Any], Field(description="As in /recall_with_context.", json_schema_extra=OBJECT)] | None
    ) = None


class KeywordRequest(BaseModel):
    """A term to look for; `mode`, when given, decides instead of `exact`."""

    model_config = ConfigDict(extra="forbid")

    term: Word
    mode: Mode | None = None
    exact: Exact = True
    case_sensitive: Flag = False
    top_k: TopK = 50
    type: MemoryType | None = None


class RangeQuery(BaseModel):
    """Two corners of a box; `after` is the `next` of the page before."""

    model_config = ConfigDict(extra="forbid")

    min: Coord
    max: Coord
    type: MemoryType | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000
    after: Coord | None = None


class RangeResponse(BaseModel):
    """Coordinates in order; `next` when there may be more."""

    coords: list[list[float]]
    next: str | None = None


class Explanation(BaseModel):
    """Why a memory stands where it stands: `parts` add up to `score`."""

    score: float
    parts: dict[str, float]


class RecallResponse(BaseModel):
    """Memories, best first: the caller's payload flattened with ours. `degraded` names stores that took no part."""

    matches: list[dict[str, Any]]
    explanations: list[Explanation] | None = None
    degraded: list[str] | None = None


class RecallBatchResponse(BaseModel):
    """One list of memories for each query, in order."""

    batches: list[list[dict[str, Any]]]
    degraded: list[str] | None = None


class Scored(BaseModel):
    """One memory with its score; `parts` only when asked for."""

    payload: dict[str, Any]
    score: float
    parts: dict[str, float] | None = None


class ScoredResponse(BaseModel):
    """Memories with their scores, best first."""

    results: list[Scored]
    degraded: list[str] | None = None


class ResultsResponse(BaseModel):
    """Memories, best first."""

    results: list[dict[str, Any]]
    degraded: list[str] | None = None


BODIES: tuple[type[BaseModel], ...] = (
    RecallRequest,
    RecallBatchRequest,
    ScoredRequest,
    HybridScoredRequest,
    ContextRequest,
    ExplainRequest,
    KeywordRequest,
)
