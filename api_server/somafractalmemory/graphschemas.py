"""Bodies and parameters of the routes about links."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from somafractalmemory.schemas import Coord

LinkType = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$", examples=["related"])]


class LinkRequest(BaseModel):
    """A link from one memory to another; for each type there is at most one."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"from_coord": "1,2,3", "to_coord": "4,5,6"}]}
    )

    from_coord: Coord
    to_coord: Coord
    type: LinkType = "related"
    weight: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False, description="What it costs to follow.")] = 1.0


class UnlinkQuery(BaseModel):
    """Which link to remove."""

    model_config = ConfigDict(extra="forbid")

    from_coord: Coord
    to_coord: Coord
    type: LinkType = "related"


class NeighborsQuery(BaseModel):
    """Whose links to show."""

    model_config = ConfigDict(extra="forbid")

    coord: Coord
    link_type: LinkType | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class PathQuery(BaseModel):
    """From where to where."""

    model_config = ConfigDict(extra="forbid")

    frm: Coord
    to: Coord
    link_type: LinkType | None = None


class OkResponse(BaseModel):
    """Committed."""

    ok: bool = True


class Neighbor(BaseModel):
    """One link."""

    to: list[float]
    type: str
    timestamp: float
    weight: float


class NeighborsResponse(BaseModel):
    """Pairs of a coordinate and the link that leads there, oldest first."""

    neighbors: list[tuple[list[float], Neighbor]]


class PathResponse(BaseModel):
    """The places along the lightest path, both ends among them; empty when there is none."""

    path: list[list[float]]


BODIES: tuple[type[BaseModel], ...] = (LinkRequest,)
