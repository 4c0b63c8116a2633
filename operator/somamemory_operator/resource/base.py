"""The base of every part of the custom resource, and the small value types that they share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

CelRule = dict[str, str]


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """CEL rules for the schema of a model: (expression, the sentence that a person reads when it is false)."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in pairs]}


class Model(BaseModel):
    """Frozen, camelCase outside and snake_case inside, and strict: an unknown field is an error, not a typo lost.

    The string below a field is its description in the CRD and in `kubectl explain`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )


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
