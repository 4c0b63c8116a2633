"""Body and answer of the route that erases."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from somafractalmemory.schemas.memories import Coord

EITHER: dict[str, Any] = {
    "oneOf": [
        {"required": [given], "properties": {given: {"type": "string"}, other: {"type": "null"}}}
        for given, other in (("coord", "namespace"), ("namespace", "coord"))
    ]
}


class EraseRequest(BaseModel):
    """What to erase: one memory by its place, or all of a namespace by its name, which must be the request's own."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"coord": "1,2,3"}], **EITHER})

    coord: Coord | None = None
    namespace: str | None = Field(default=None, max_length=128, description="The namespace of this request, once more.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "EraseRequest":
        if (self.coord is None) == (self.namespace is None):
            raise ValueError("say either coord or namespace")
        return self


class Reached(BaseModel):
    """What was erased in a store; not `reached` when it was away."""

    entries: int
    reached: bool


class LeftInKafka(BaseModel):
    """What no one can take out."""

    topics: list[str]
    note: str


class EraseResponse(BaseModel):
    """Counts for each store. Repeat the request until it is `complete`."""

    complete: bool
    postgres: dict[str, int]
    qdrant: Reached
    locks: Reached
    kafka: LeftInKafka


BODIES: tuple[type[BaseModel], ...] = (EraseRequest,)
