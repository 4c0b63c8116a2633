"""Changing a part of a payload: JSON Merge Patch (RFC 7396). Pure."""

from collections.abc import Mapping
from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """The target with the patch's fields; null removes one, objects are merged, all else is replaced.

    Neither is changed. The depth of a patch is the caller's to bound.
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
