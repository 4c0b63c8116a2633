"""Bodies, parameters and answers of the routes about remembering without a question."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from somafractalmemory.model import MemoryType
from somafractalmemory.schemas.memories import Coord, MemoryResponse, Numeric
from somafractalmemory.schemas.values import ANY

YEAR_SECONDS = 366 * 24 * 3600.0


class RecollectQuery(BaseModel):
    """How many, and of which type."""

    model_config = ConfigDict(extra="forbid")

    n: Annotated[int, Field(ge=1, le=1000)] = 10
    type: MemoryType | None = None


class SampleQuery(RecollectQuery):
    """How many, and of which type."""

    n: Annotated[int, Field(ge=1, le=1000)] = 5


class MemoriesResponse(BaseModel):
    """Memories, in the order that was asked for."""

    memories: list[MemoryResponse]


class OutcomeRequest(BaseModel):
    """What really happened with what a memory tells or predicts."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"coord": "1,2,3", "outcome": "rain"}]})

    coord: Coord
    outcome: Annotated[
        Any, Field(description="Any JSON; compared with the memory's `predicted_outcome`.", json_schema_extra=ANY)
    ]


class OutcomeResponse(BaseModel):
    """The outcome is noted in the memory; `correction` is where the semantic memory about a wrong prediction is."""

    ok: bool = True
    version: int
    error: bool
    correction: list[float] | None
    indexed: bool


class ConsolidateRequest(BaseModel):
    """Which episodes to look at."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"window_seconds": 3600}]})

    window_seconds: Annotated[float, Field(gt=0, le=100 * YEAR_SECONDS, allow_inf_nan=False), Numeric] = 3600.0
    limit: Annotated[int, Field(ge=1, le=1000, description="Most facts to store; ask again for the rest."), Numeric] = (
        1000
    )


class ConsolidateResponse(BaseModel):
    """How many facts were stored, and how many were known; `complete` when no episode of the window is left."""

    stored: int
    unchanged: int
    complete: bool
    indexed: bool


BODIES = (OutcomeRequest, ConsolidateRequest)
