"""Parameters and answers of the route of the audit."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from somafractalmemory.model.mistakes import NO_NUL


class AuditQuery(BaseModel):
    """Which rows to show; `before` is the `next` of the page before."""

    model_config = ConfigDict(extra="forbid")

    action: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    before: Annotated[int, Field(ge=1, le=2**62)] | None = None


class AuditEntry(BaseModel):
    """Who did what, when. `coordinate` is missing for what was done to many at once; `details` tells then."""

    number: int
    at: float
    caller: str
    action: str
    coordinate: list[float] | None
    request_id: str | None
    details: dict[str, Any]


class AuditResponse(BaseModel):
    """Rows of this namespace, newest first; `next` when there may be more."""

    entries: list[AuditEntry]
    next: int | None = None
