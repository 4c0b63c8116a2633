# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""One SomaMemory with its profile applied: what every decision about it starts from.

The defaults of the fields are those of the profile `development`; other profiles are laid below the user's spec.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, ValidationError

from somamemory_operator.model.errors import InvalidSpec
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.base import Model
from somamemory_operator.resource.profiles import preset
from somamemory_operator.resource.spec import Spec


class Metadata(Model):
    """The part of the metadata that decisions need."""

    model_config = ConfigDict(extra="ignore")
    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    deletion_timestamp: str | None = None


class SomaMemory(Model):
    """One SomaMemory with its profile applied: `spec` has a value for everything."""

    metadata: Metadata
    spec: Spec
    status: dict[str, Any] = {}
    """The status as it was observed, raw: times of conditions and the version before live there."""

    @classmethod
    def parse(cls, obj: Mapping[str, Any]) -> "SomaMemory":
        """Read an object as the API server sends it. Raises InvalidSpec for what the schema lets through."""
        spec = obj.get("spec") or {}
        try:
            chosen = Spec.model_validate({key: spec[key] for key in ("profile",) if key in spec}).profile
            return cls(
                metadata=Metadata.model_validate(obj["metadata"]),
                spec=Spec.model_validate(merge(_without_external(preset(chosen), spec), spec)),
                status=obj.get("status") or {},
            )
        except ValidationError as error:
            raise InvalidSpec(Reason.INVALID_SPEC, _sentence(error)) from error

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def uid(self) -> str:
        return self.metadata.uid


def _without_external(below: Mapping[str, Any], spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """A preset says nothing about stores that somebody else runs."""
    said = {key for key, part in spec.items() if isinstance(part, Mapping) and part.get("external") is not None}
    return {key: value for key, value in below.items() if key not in said}


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: objects are merged field by field, anything else is replaced; null means unset."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            merged[key] = merge(under, value)
        elif value is not None:
            merged[key] = value
    return merged


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong, with its place and without the value: a value could be a secret."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in ("spec", *first["loc"]))
    said = first["msg"].removeprefix("Value error, ")
    return f"{place}: {said}. Correct the field and apply the SomaMemory again."
