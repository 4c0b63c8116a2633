"""Qdrant's JSON filters -> the engine's filters."""

from collections.abc import Callable
from typing import Any

import qdrant_edge as engine

from .errors import BadRequest, Unsupported

Json = dict[str, Any]


def parse_filter(raw: Json | None) -> engine.Filter | None:
    """The engine's filter for `raw`; None stays None.

    Raises BadRequest for a clause that Qdrant does not know either.
    """
    if raw is None:
        return None
    unknown = raw.keys() - {"must", "should", "must_not", "min_should"}
    if unknown:
        raise BadRequest(f"Format error in filter: unknown clause {sorted(unknown)}")
    return engine.Filter(
        must=_conditions(raw.get("must")),
        should=_conditions(raw.get("should")),
        must_not=_conditions(raw.get("must_not")),
        min_should=_min_should(raw.get("min_should")),
    )


def required_filter(raw: Json | None) -> engine.Filter:
    """As `parse_filter`, for operations that mean a filter: without one they would touch every point."""
    parsed = parse_filter(raw)
    if parsed is None:
        raise BadRequest("Format error in JSON body: `points` or `filter` is required")
    return parsed


def _conditions(raw: Any) -> list[Any] | None:
    if raw is None:
        return None
    return [parse_condition(item) for item in (raw if isinstance(raw, list) else [raw])]


def _min_should(raw: Json | None) -> engine.MinShould | None:
    if raw is None:
        return None
    return engine.MinShould(_conditions(raw["conditions"]) or [], raw["min_count"])


def parse_condition(raw: Json) -> Any:
    """One condition, told apart by the keys it has, as Qdrant does."""
    if "key" in raw:
        return _field_condition(raw)
    for name, parse in _OTHER_CONDITIONS.items():
        if name in raw:
            return parse(raw[name])
    if raw.keys() & {"must", "should", "must_not", "min_should"}:
        return parse_filter(raw)
    raise Unsupported(f"qdrant-edge does not know the filter condition {sorted(raw)}")


_OTHER_CONDITIONS: dict[str, Callable[[Any], Any]] = {
    "is_empty": lambda raw: engine.IsEmptyCondition(raw["key"]),
    "is_null": lambda raw: engine.IsNullCondition(raw["key"]),
    "has_id": lambda raw: engine.HasIdCondition(set(raw)),
    "has_vector": engine.HasVectorCondition,
    "nested": lambda raw: engine.NestedCondition(raw["key"], required_filter(raw["filter"])),
}


def _field_condition(raw: Json) -> engine.FieldCondition:
    if (match := raw.get("match")) is not None:  # by far the most frequent: kept short
        return engine.FieldCondition(raw["key"], match=_match(match))
    given = {name: parse(raw[name]) for name, parse in _FIELD_PARTS.items() if raw.get(name) is not None}
    if not given:
        raise BadRequest(f"Format error in filter: the condition on `{raw['key']}` says nothing")
    return engine.FieldCondition(raw["key"], **given)


def _match(raw: Json) -> Any:
    for name, build in _MATCHES.items():
        if name in raw:
            return build(raw[name])
    raise Unsupported(f"qdrant-edge does not know the match {sorted(raw)}")


_MATCHES: dict[str, Callable[[Any], Any]] = {
    "value": engine.MatchValue,
    "any": engine.MatchAny,
    "except": engine.MatchExcept,
    "text": engine.MatchText,
    "text_any": engine.MatchTextAny,
    "phrase": engine.MatchPhrase,
    "prefix": engine.MatchPrefix,
    "substring": engine.MatchSubstring,
}


def _range(raw: Json) -> Any:
    bounds = {name: raw[name] for name in ("gte", "gt", "lte", "lt") if raw.get(name) is not None}
    if any(isinstance(bound, str) for bound in bounds.values()):
        return engine.RangeDateTime(**bounds)
    return engine.RangeFloat(**bounds)


def geo_point(raw: Json) -> engine.GeoPoint:
    """A point of the globe."""
    return engine.GeoPoint(raw["lon"], raw["lat"])


def _polygon(raw: Json) -> engine.GeoPolygon:
    interiors = [[geo_point(point) for point in ring["points"]] for ring in raw.get("interiors") or []]
    return engine.GeoPolygon([geo_point(point) for point in raw["exterior"]["points"]], interiors or None)


_FIELD_PARTS: dict[str, Callable[[Any], Any]] = {
    "range": _range,
    "geo_bounding_box": lambda raw: engine.GeoBoundingBox(geo_point(raw["top_left"]), geo_point(raw["bottom_right"])),
    "geo_radius": lambda raw: engine.GeoRadius(geo_point(raw["center"]), raw["radius"]),
    "geo_polygon": _polygon,
    "values_count": lambda raw: engine.ValuesCount(**{name: value for name, value in raw.items() if value is not None}),
    "is_empty": bool,
    "is_null": bool,
}
