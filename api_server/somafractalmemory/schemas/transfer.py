"""Parameters and answers of export and import."""

from pydantic import BaseModel, ConfigDict, computed_field

from somafractalmemory.schemas.memories import LineError


class ExportQuery(BaseModel):
    """What to add to the lines."""

    model_config = ConfigDict(extra="forbid")

    vectors: bool = False


class ImportQuery(BaseModel):
    """What to do with what is there already."""

    model_config = ConfigDict(extra="forbid")

    replace: bool = False


class ImportResponse(BaseModel):
    """What became of the lines. `complete`: the file was whole, and every line of it was taken."""

    created: int
    replaced: int
    unchanged: int
    versions: int
    links: int
    removed: int
    failed: int
    complete: bool
    indexed: bool
    errors: list[LineError]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def imported(self) -> int:
        """Memories of the file that are there now."""
        return self.created + self.replaced + self.unchanged
