"""What the OpenAPI document says of the JSON that callers bring; the rules themselves are in `model.payloads`.

Pydantic is told only that these are objects: the service looks at each value once, when it gathers their words.
"""

from typing import Any

from somafractalmemory.model import MAX_KEYS
from somafractalmemory.model.mistakes import NO_NUL

VALUE = "JsonValue"
_PLACE = "x-schema"
ANY: dict[str, Any] = {_PLACE: VALUE}  # pydantic refuses references to what it does not know
_KEYS: dict[str, Any] = {"maxLength": MAX_KEYS, "pattern": NO_NUL}
_ANY_OBJECT: dict[str, Any] = {"propertyNames": _KEYS, "additionalProperties": ANY}
JSON_VALUE: dict[str, Any] = {
    "title": VALUE,
    "description": "Any JSON without the NUL character, nested at most 32 deep.",
    "anyOf": [
        {"type": ["null", "boolean", "number"]},
        {"type": "string", "pattern": NO_NUL},
        {"type": "array", "items": ANY},
        {"type": "object", **_ANY_OBJECT},
    ],
}
OBJECT: dict[str, Any] = {"maxProperties": MAX_KEYS, **_ANY_OBJECT}
PAYLOAD: dict[str, Any] = {
    **OBJECT,
    "properties": {
        "importance": {"type": ["number", "null"], "minimum": -1e9, "maximum": 1e9},
        "timestamp": {
            "anyOf": [
                {"type": ["number", "null"], "minimum": -1e11, "maximum": 1e11},
                {"type": "string", "format": "date-time"},
            ]
        },
    },
}


def referring(shown: Any) -> Any:
    """The same document, with references where one of these schemas stands inside another one."""
    if isinstance(shown, list):
        return [referring(each) for each in shown]
    if not isinstance(shown, dict):
        return shown
    if _PLACE in shown:
        rest = {name: each for name, each in shown.items() if name != _PLACE}
        return {**rest, "$ref": f"#/components/schemas/{shown[_PLACE]}"}
    return {name: referring(each) for name, each in shown.items()}
