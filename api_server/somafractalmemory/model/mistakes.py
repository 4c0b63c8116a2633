"""Wrong fields in the words of callers, who know JSON: pydantic speaks of Python."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

NO_NUL = r"^[^\x00]*$"
"""The pattern of texts that any store can hold."""
_MOST = 20
_SAID = {
    "missing": "it is needed",
    "extra_forbidden": "there is no such field: leave it out",
    "dict_type": "a JSON object is needed",
    "model_type": "a JSON object is needed",
    "list_type": "a JSON array is needed",
    "string_type": "a text is needed",
    "bool_type": "true or false is needed",
    "bool_parsing": "true or false is needed",
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "float_type": "a number is needed",
    "float_parsing": "a number is needed",
}


def mistakes(error: ValidationError) -> list[dict[str, Any]]:
    """Each wrong field with its place, what is wrong with it and the kind of that; never the value itself."""
    return [
        {"loc": list(item["loc"]), "msg": _said(item), "type": item["type"]}
        for item in error.errors(include_url=False, include_input=False)[:_MOST]
    ]


def told(listed: list[dict[str, Any]], *, whole: str) -> str:
    """All of them as one sentence; `whole` is what a mistake belongs to that is none of a single field."""
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or whole}: {each['msg']}" for each in listed)


def _said(item: Mapping[str, Any]) -> str:
    context = item.get("ctx", {})
    if item["type"] == "value_error":
        return str(context["error"])
    if item["type"] == "too_long":
        return f"at most {context['max_length']} are taken at once"
    if item["type"] == "string_pattern_mismatch" and context["pattern"] == NO_NUL:
        return "it cannot hold the NUL character"
    return _SAID.get(item["type"], str(item["msg"]))
