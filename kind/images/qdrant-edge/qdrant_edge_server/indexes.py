"""Payload indexes in Qdrant's JSON -> the engine's."""

from collections.abc import Callable
from typing import Any

import qdrant_edge as engine

from .errors import BadRequest, Unsupported
from .filters import Json

_TYPES: dict[str, tuple[Any, Callable[..., Any]]] = {
    "keyword": (engine.PayloadSchemaType.Keyword, engine.KeywordIndexParams),
    "integer": (engine.PayloadSchemaType.Integer, engine.IntegerIndexParams),
    "float": (engine.PayloadSchemaType.Float, engine.FloatIndexParams),
    "geo": (engine.PayloadSchemaType.Geo, engine.GeoIndexParams),
    "text": (engine.PayloadSchemaType.Text, engine.TextIndexParams),
    "bool": (engine.PayloadSchemaType.Bool, engine.BoolIndexParams),
    "datetime": (engine.PayloadSchemaType.Datetime, engine.DatetimeIndexParams),
    "uuid": (engine.PayloadSchemaType.Uuid, engine.UuidIndexParams),
}
_TOKENIZERS = {
    "prefix": engine.TokenizerType.Prefix,
    "whitespace": engine.TokenizerType.Whitespace,
    "word": engine.TokenizerType.Word,
    "multilingual": engine.TokenizerType.Multilingual,
}
_LANGUAGE_OPTIONS = ("stopwords", "stemmer", "memory", "scoring")


def create_index(field: str, schema: Any) -> Any:
    """The operation that indexes `field`; `schema` is a type's name, or an object with its parameters."""
    if schema is None:
        raise BadRequest("Format error in JSON body: `field_schema` is required")
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind not in _TYPES:
        raise BadRequest(f"Format error in JSON body: field_schema is one of {sorted(_TYPES)}")
    plain, params = _TYPES[kind]
    described = params(**_parameters(schema)) if isinstance(schema, dict) else plain
    return engine.UpdateOperation.create_field_index(field, described)


def _parameters(schema: Json) -> Json:
    given = {name: value for name, value in schema.items() if name != "type" and value is not None}
    refused = sorted(given.keys() & set(_LANGUAGE_OPTIONS))
    if refused:
        raise Unsupported(f"qdrant-edge does not take {refused} on a payload index")
    if "tokenizer" in given:
        given["tokenizer"] = _TOKENIZERS[given["tokenizer"]]
    return given
