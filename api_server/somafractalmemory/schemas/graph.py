"""Bodies and parameters of the routes about links."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from somafractalmemory.model import MAX_COORDINATE_TEXT
from somafractalmemory.model.mistakes import NO_NUL
from somafractalmemory.schemas.memories import Coord, Numeric

LinkType = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL, examples=["related"])]


class LinkRequest(BaseModel):
    """A link from one memory to another; for each type there is at most one."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"from_coord": "1,2,3", "to_coord": "4,5,6"}]}
    )

    from_coord: Coord
    to_coord: Coord
    type: LinkType = "related"
    weight: Annotated[
        float, Field(ge=0, le=1e9, allow_inf_nan=False, description="What it costs to follow."), Numeric
    ] = 1.0


class LinksRequest(BaseModel):
    """Links to be put together: all or none."""

    model_config = ConfigDict(extra="forbid")

    links: Annotated[list[LinkRequest], Field(max_length=1000)]


class LinksResponse(BaseModel):
    """How many links were committed; of several of one type between the same memories the last one counts."""

    linked: int


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


class LinksQuery(BaseModel):
    """Which links to list; `after` is the `next` of the page before."""

    model_config = ConfigDict(extra="forbid")

    type: LinkType | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: (
        Annotated[
            str,
            Field(
                max_length=2 * MAX_COORDINATE_TEXT + 128,
                json_schema_extra={"pattern": r"^-?[0-9]{1,9}\.0\|-?[0-9]{1,9}\.0\|[a-z]{1,64}$"},
            ),
        ]
        | None
    ) = None


class ListedLink(BaseModel):
    """One link, by the places of both ends."""

    model_config = ConfigDict(serialize_by_alias=True)

    from_: Annotated[list[float], Field(alias="from")]
    to: list[float]
    type: str
    weight: float
    timestamp: float


class LinksPage(BaseModel):
    """Links in the order of their sources; `next` when there may be more."""

    links: list[ListedLink]
    next: str | None = None


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


BODIES: tuple[type[BaseModel], ...] = (LinkRequest, LinksRequest)
