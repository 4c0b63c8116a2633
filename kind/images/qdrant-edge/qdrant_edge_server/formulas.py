"""Formulas of the query API -> the engine's expression trees."""

from collections.abc import Callable
from typing import Any

import qdrant_edge as engine

from .errors import Unsupported
from .filters import Json, geo_point, parse_condition

_Expression = engine.Expression


def expression(raw: Any) -> Any:
    """One node of a formula: a number, a variable, a function of other nodes, or a filter condition (1 or 0)."""
    if isinstance(raw, (int, float)):
        return _Expression.Constant(float(raw))
    if isinstance(raw, str):
        return _Expression.Variable(raw)
    if not isinstance(raw, dict):
        raise Unsupported(f"qdrant-edge does not know the formula {raw!r}")
    for name, build in _NODES.items():
        if name in raw:
            return build(raw[name])
    return _Expression.Condition(parse_condition(raw))


def _several(build: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda raw: build([expression(item) for item in raw])


def _one(build: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda raw: build(expression(raw))


def _decay(kind: Any) -> Callable[[Any], Any]:
    def build(raw: Json) -> Any:
        target = None if raw.get("target") is None else expression(raw["target"])
        return _Expression.Decay(kind, expression(raw["x"]), target, raw.get("midpoint"), raw.get("scale"))

    return build


_NODES: dict[str, Callable[[Any], Any]] = {
    "sum": _several(_Expression.Sum),
    "mult": _several(_Expression.Mult),
    "max": _several(_Expression.Max),
    "min": _several(_Expression.Min),
    "neg": _one(_Expression.Neg),
    "abs": _one(_Expression.Abs),
    "sqrt": _one(_Expression.Sqrt),
    "exp": _one(_Expression.Exp),
    "log10": _one(_Expression.Log10),
    "ln": _one(_Expression.Ln),
    "div": lambda raw: _Expression.Div(expression(raw["left"]), expression(raw["right"]), raw.get("by_zero_default")),
    "pow": lambda raw: _Expression.Pow(expression(raw["base"]), expression(raw["exponent"])),
    "geo_distance": lambda raw: _Expression.GeoDistance(geo_point(raw["origin"]), raw["to"]),
    "datetime": _Expression.Datetime,
    "datetime_key": _Expression.DatetimeKey,
    "lin_decay": _decay(engine.DecayKind.Lin),
    "exp_decay": _decay(engine.DecayKind.Exp),
    "gauss_decay": _decay(engine.DecayKind.Gauss),
}
