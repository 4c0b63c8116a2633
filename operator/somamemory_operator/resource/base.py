"""The base of every part of the custom resource, and the small value types that they share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

CelRule = dict[str, str]


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """CEL rules for the schema of a model: (expression, the sentence that a person reads when it is false)."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in pairs]}


class Rule(NamedTuple):
    """What must hold between the fields of a model, said twice: for the API server, and for `render` without one."""

    cel: str
    sentence: str
    holds: Callable[[Any], bool]


class Model(BaseModel):
    """Frozen, camelCase outside and snake_case inside, and strict: an unknown field is an error, not a typo lost.

    The string below a field is its description in the CRD and in `kubectl explain`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )
    obeys: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _obey(self) -> Self:
        for rule in self.obeys:
            if not rule.holds(self):
                raise ValueError(rule.sentence)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema_of: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(schema_of)
        if cls.obeys:
            own = rules(*((rule.cel, rule.sentence) for rule in cls.obeys))
            handler.resolve_ref_schema(schema).update(own)
        return schema


@dataclass(frozen=True)
class Distinct:
    """To be put beside a list: no two entries have the same value, or the same values in these fields.

    Kubernetes tells the entries of many lists apart by such fields, and answers a server-side apply of two equal ones
    with a fault of its own. `in_schema` is False where the schema says it already, by the keys of a map.
    """

    sentence: str
    fields: tuple[str, ...] = ()
    in_schema: bool = True

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        made = handler(schema)
        same = " && ".join(f"a.{to_camel(field)} == b.{to_camel(field)}" for field in self.fields) or "a == b"
        if self.in_schema:
            made |= rules((f"self.all(a, self.exists_one(b, {same}))", self.sentence))
        return made

    def _checked(self, entries: list[Any]) -> list[Any]:
        known = [tuple(getattr(each, field) for field in self.fields) or (each,) for each in entries]
        if len(set(known)) < len(known):
            raise ValueError(self.sentence)
        return entries


QUANTITY = r"^([0-9]+|[0-9]+\.[0-9]+|[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))$"

Quantity = Annotated[str, StringConstraints(pattern=QUANTITY, max_length=32)]
"""A Kubernetes quantity that must be text, such as a volume's size: CEL compares it."""

LooseQuantity = Annotated[
    str,
    Field(
        coerce_numbers_to_str=True,
        pattern=QUANTITY,
        max_length=32,
        json_schema_extra={"x-kubernetes-int-or-string": True},
    ),
]
"""A Kubernetes quantity as people write it in resources: `500m`, `1Gi`, and also the number 2."""

Line = Annotated[str, StringConstraints(pattern=r"^[^\r\n]*$", max_length=4096)]
"""Text without line breaks, so that one setting cannot smuggle in another."""

DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)]
DnsName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", min_length=1, max_length=253)]
LabelKey = Annotated[
    str, StringConstraints(pattern=r"^([a-zA-Z0-9.-]+/)?[a-zA-Z0-9]([-a-zA-Z0-9_.]*[a-zA-Z0-9])?$", max_length=316)
]
LabelValue = Annotated[str, StringConstraints(pattern=r"^([a-zA-Z0-9]([-a-zA-Z0-9_.]*[a-zA-Z0-9])?)?$", max_length=63)]
Labels = Annotated[dict[str, LabelValue], Field(max_length=32)]
Annotations = Annotated[dict[str, Annotated[str, StringConstraints(max_length=4096)]], Field(max_length=32)]
