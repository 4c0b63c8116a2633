"""What Schemathesis cannot know by itself: how lines are written, and that a key is for one request only."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, value: Any) -> bytes:
    """Whatever was made up is the body as it is."""
    if isinstance(value, bytes):
        return value
    return str(value).encode(errors="surrogatepass")


@schemathesis.hook
def before_load_schema(_: Any, raw_schema: dict[str, Any]) -> None:
    """Keys are left out: used again for another request they are refused, as they should be, which no schema says."""
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            operation["parameters"] = [
                parameter
                for parameter in operation.get("parameters", [])
                if not parameter.get("$ref", "").endswith("/IdempotencyKey")
            ]
