from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Coordinate(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...

class Memory(_message.Message):
    __slots__ = ("coord", "payload_json", "memory_type", "version", "importance", "importance_norm", "timestamp", "created_at", "updated_at")
    COORD_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_JSON_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TYPE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_NORM_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    coord: Coordinate
    payload_json: str
    memory_type: str
    version: int
    importance: float
    importance_norm: float
    timestamp: float
    created_at: float
    updated_at: float
    def __init__(self, coord: _Optional[_Union[Coordinate, _Mapping]] = ..., payload_json: _Optional[str] = ..., memory_type: _Optional[str] = ..., version: _Optional[int] = ..., importance: _Optional[float] = ..., importance_norm: _Optional[float] = ..., timestamp: _Optional[float] = ..., created_at: _Optional[float] = ..., updated_at: _Optional[float] = ...) -> None: ...

class StoreRequest(_message.Message):
    __slots__ = ("memory", "expected_version")
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    memory: Memory
    expected_version: int
    def __init__(self, memory: _Optional[_Union[Memory, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class StoreResponse(_message.Message):
    __slots__ = ("ok", "id", "version", "indexed")
    OK_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    id: str
    version: int
    indexed: bool
    def __init__(self, ok: _Optional[bool] = ..., id: _Optional[str] = ..., version: _Optional[int] = ..., indexed: _Optional[bool] = ...) -> None: ...

class RetrieveRequest(_message.Message):
    __slots__ = ("query", "top_k", "memory_type", "text", "filters_json", "hybrid", "terms", "boost", "exact", "case_sensitive", "context_json", "explain")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TYPE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FILTERS_JSON_FIELD_NUMBER: _ClassVar[int]
    HYBRID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    BOOST_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CASE_SENSITIVE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JSON_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    query: Coordinate
    top_k: int
    memory_type: str
    text: str
    filters_json: str
    hybrid: bool
    terms: _containers.RepeatedScalarFieldContainer[str]
    boost: float
    exact: bool
    case_sensitive: bool
    context_json: str
    explain: bool
    def __init__(self, query: _Optional[_Union[Coordinate, _Mapping]] = ..., top_k: _Optional[int] = ..., memory_type: _Optional[str] = ..., text: _Optional[str] = ..., filters_json: _Optional[str] = ..., hybrid: _Optional[bool] = ..., terms: _Optional[_Iterable[str]] = ..., boost: _Optional[float] = ..., exact: _Optional[bool] = ..., case_sensitive: _Optional[bool] = ..., context_json: _Optional[str] = ..., explain: _Optional[bool] = ...) -> None: ...

class RecallResult(_message.Message):
    __slots__ = ("memories", "scores", "distances", "explanations", "degraded")
    MEMORIES_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    DISTANCES_FIELD_NUMBER: _ClassVar[int]
    EXPLANATIONS_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    memories: _containers.RepeatedCompositeFieldContainer[Memory]
    scores: _containers.RepeatedScalarFieldContainer[float]
    distances: _containers.RepeatedScalarFieldContainer[float]
    explanations: _containers.RepeatedCompositeFieldContainer[Explanation]
    degraded: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, memories: _Optional[_Iterable[_Union[Memory, _Mapping]]] = ..., scores: _Optional[_Iterable[float]] = ..., distances: _Optional[_Iterable[float]] = ..., explanations: _Optional[_Iterable[_Union[Explanation, _Mapping]]] = ..., degraded: _Optional[_Iterable[str]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("parts",)
    class PartsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    PARTS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.ScalarMap[str, float]
    def __init__(self, parts: _Optional[_Mapping[str, float]] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("coord", "expected_version")
    COORD_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    coord: Coordinate
    expected_version: int
    def __init__(self, coord: _Optional[_Union[Coordinate, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ("ok", "version", "indexed")
    OK_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    version: int
    indexed: bool
    def __init__(self, ok: _Optional[bool] = ..., version: _Optional[int] = ..., indexed: _Optional[bool] = ...) -> None: ...

class HealthResponse(_message.Message):
    __slots__ = ("status", "components")
    class ComponentsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bool
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bool] = ...) -> None: ...
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    status: str
    components: _containers.ScalarMap[str, bool]
    def __init__(self, status: _Optional[str] = ..., components: _Optional[_Mapping[str, bool]] = ...) -> None: ...

class StoreBulkRequest(_message.Message):
    __slots__ = ("memories",)
    MEMORIES_FIELD_NUMBER: _ClassVar[int]
    memories: _containers.RepeatedCompositeFieldContainer[Memory]
    def __init__(self, memories: _Optional[_Iterable[_Union[Memory, _Mapping]]] = ...) -> None: ...

class StoreSummary(_message.Message):
    __slots__ = ("stored", "indexed", "failed", "errors")
    STORED_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    stored: int
    indexed: bool
    failed: int
    errors: _containers.RepeatedCompositeFieldContainer[ItemError]
    def __init__(self, stored: _Optional[int] = ..., indexed: _Optional[bool] = ..., failed: _Optional[int] = ..., errors: _Optional[_Iterable[_Union[ItemError, _Mapping]]] = ...) -> None: ...

class ItemError(_message.Message):
    __slots__ = ("number", "message")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    number: int
    message: str
    def __init__(self, number: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class RecallBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[RetrieveRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[RetrieveRequest, _Mapping]]] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("coord",)
    COORD_FIELD_NUMBER: _ClassVar[int]
    coord: Coordinate
    def __init__(self, coord: _Optional[_Union[Coordinate, _Mapping]] = ...) -> None: ...

class AmendRequest(_message.Message):
    __slots__ = ("coord", "patch_json", "memory_type", "expected_version")
    COORD_FIELD_NUMBER: _ClassVar[int]
    PATCH_JSON_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    coord: Coordinate
    patch_json: str
    memory_type: str
    expected_version: int
    def __init__(self, coord: _Optional[_Union[Coordinate, _Mapping]] = ..., patch_json: _Optional[str] = ..., memory_type: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ImportanceRequest(_message.Message):
    __slots__ = ("coord", "importance", "expected_version")
    COORD_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    coord: Coordinate
    importance: float
    expected_version: int
    def __init__(self, coord: _Optional[_Union[Coordinate, _Mapping]] = ..., importance: _Optional[float] = ..., expected_version: _Optional[int] = ...) -> None: ...

class MemoryList(_message.Message):
    __slots__ = ("memories", "next")
    MEMORIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    memories: _containers.RepeatedCompositeFieldContainer[Memory]
    next: Coordinate
    def __init__(self, memories: _Optional[_Iterable[_Union[Memory, _Mapping]]] = ..., next: _Optional[_Union[Coordinate, _Mapping]] = ...) -> None: ...

class DeleteManyRequest(_message.Message):
    __slots__ = ("coords",)
    COORDS_FIELD_NUMBER: _ClassVar[int]
    coords: _containers.RepeatedCompositeFieldContainer[Coordinate]
    def __init__(self, coords: _Optional[_Iterable[_Union[Coordinate, _Mapping]]] = ...) -> None: ...

class DeleteManyResponse(_message.Message):
    __slots__ = ("deleted", "indexed")
    DELETED_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    deleted: int
    indexed: bool
    def __init__(self, deleted: _Optional[int] = ..., indexed: _Optional[bool] = ...) -> None: ...

class KeywordRequest(_message.Message):
    __slots__ = ("term", "mode", "exact", "case_sensitive", "top_k", "memory_type")
    TERM_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CASE_SENSITIVE_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TYPE_FIELD_NUMBER: _ClassVar[int]
    term: str
    mode: str
    exact: bool
    case_sensitive: bool
    top_k: int
    memory_type: str
    def __init__(self, term: _Optional[str] = ..., mode: _Optional[str] = ..., exact: _Optional[bool] = ..., case_sensitive: _Optional[bool] = ..., top_k: _Optional[int] = ..., memory_type: _Optional[str] = ...) -> None: ...

class RangeRequest(_message.Message):
    __slots__ = ("min", "max", "memory_type", "limit", "after")
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TYPE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    min: Coordinate
    max: Coordinate
    memory_type: str
    limit: int
    after: Coordinate
    def __init__(self, min: _Optional[_Union[Coordinate, _Mapping]] = ..., max: _Optional[_Union[Coordinate, _Mapping]] = ..., memory_type: _Optional[str] = ..., limit: _Optional[int] = ..., after: _Optional[_Union[Coordinate, _Mapping]] = ...) -> None: ...

class RangeResponse(_message.Message):
    __slots__ = ("coords", "next")
    COORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    coords: _containers.RepeatedCompositeFieldContainer[Coordinate]
    next: Coordinate
    def __init__(self, coords: _Optional[_Iterable[_Union[Coordinate, _Mapping]]] = ..., next: _Optional[_Union[Coordinate, _Mapping]] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ("memory_type", "limit", "after")
    MEMORY_TYPE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    memory_type: str
    limit: int
    after: Coordinate
    def __init__(self, memory_type: _Optional[str] = ..., limit: _Optional[int] = ..., after: _Optional[_Union[Coordinate, _Mapping]] = ...) -> None: ...

class LinkRequest(_message.Message):
    __slots__ = ("source", "target", "type", "weight")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    source: Coordinate
    target: Coordinate
    type: str
    weight: float
    def __init__(self, source: _Optional[_Union[Coordinate, _Mapping]] = ..., target: _Optional[_Union[Coordinate, _Mapping]] = ..., type: _Optional[str] = ..., weight: _Optional[float] = ...) -> None: ...

class OkResponse(_message.Message):
    __slots__ = ("ok",)
    OK_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    def __init__(self, ok: _Optional[bool] = ...) -> None: ...

class NeighborsRequest(_message.Message):
    __slots__ = ("coord", "link_type", "limit")
    COORD_FIELD_NUMBER: _ClassVar[int]
    LINK_TYPE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    coord: Coordinate
    link_type: str
    limit: int
    def __init__(self, coord: _Optional[_Union[Coordinate, _Mapping]] = ..., link_type: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class Neighbor(_message.Message):
    __slots__ = ("coord", "type", "weight", "timestamp")
    COORD_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    coord: Coordinate
    type: str
    weight: float
    timestamp: float
    def __init__(self, coord: _Optional[_Union[Coordinate, _Mapping]] = ..., type: _Optional[str] = ..., weight: _Optional[float] = ..., timestamp: _Optional[float] = ...) -> None: ...

class NeighborsResponse(_message.Message):
    __slots__ = ("neighbors",)
    NEIGHBORS_FIELD_NUMBER: _ClassVar[int]
    neighbors: _containers.RepeatedCompositeFieldContainer[Neighbor]
    def __init__(self, neighbors: _Optional[_Iterable[_Union[Neighbor, _Mapping]]] = ...) -> None: ...

class PathRequest(_message.Message):
    __slots__ = ("source", "target", "link_type")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    LINK_TYPE_FIELD_NUMBER: _ClassVar[int]
    source: Coordinate
    target: Coordinate
    link_type: str
    def __init__(self, source: _Optional[_Union[Coordinate, _Mapping]] = ..., target: _Optional[_Union[Coordinate, _Mapping]] = ..., link_type: _Optional[str] = ...) -> None: ...

class PathResponse(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: _containers.RepeatedCompositeFieldContainer[Coordinate]
    def __init__(self, path: _Optional[_Iterable[_Union[Coordinate, _Mapping]]] = ...) -> None: ...

class StatsResponse(_message.Message):
    __slots__ = ("total_memories", "episodic", "semantic")
    TOTAL_MEMORIES_FIELD_NUMBER: _ClassVar[int]
    EPISODIC_FIELD_NUMBER: _ClassVar[int]
    SEMANTIC_FIELD_NUMBER: _ClassVar[int]
    total_memories: int
    episodic: int
    semantic: int
    def __init__(self, total_memories: _Optional[int] = ..., episodic: _Optional[int] = ..., semantic: _Optional[int] = ...) -> None: ...

class LinkManyRequest(_message.Message):
    __slots__ = ("links",)
    LINKS_FIELD_NUMBER: _ClassVar[int]
    links: _containers.RepeatedCompositeFieldContainer[LinkRequest]
    def __init__(self, links: _Optional[_Iterable[_Union[LinkRequest, _Mapping]]] = ...) -> None: ...

class LinkManyResponse(_message.Message):
    __slots__ = ("linked",)
    LINKED_FIELD_NUMBER: _ClassVar[int]
    linked: int
    def __init__(self, linked: _Optional[int] = ...) -> None: ...

class LinksRequest(_message.Message):
    __slots__ = ("link_type", "limit", "after")
    LINK_TYPE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    link_type: str
    limit: int
    after: PlacedLink
    def __init__(self, link_type: _Optional[str] = ..., limit: _Optional[int] = ..., after: _Optional[_Union[PlacedLink, _Mapping]] = ...) -> None: ...

class PlacedLink(_message.Message):
    __slots__ = ("source", "target", "type", "weight", "timestamp")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    source: Coordinate
    target: Coordinate
    type: str
    weight: float
    timestamp: float
    def __init__(self, source: _Optional[_Union[Coordinate, _Mapping]] = ..., target: _Optional[_Union[Coordinate, _Mapping]] = ..., type: _Optional[str] = ..., weight: _Optional[float] = ..., timestamp: _Optional[float] = ...) -> None: ...

class LinksResponse(_message.Message):
    __slots__ = ("links", "more")
    LINKS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    links: _containers.RepeatedCompositeFieldContainer[PlacedLink]
    more: bool
    def __init__(self, links: _Optional[_Iterable[_Union[PlacedLink, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class RecollectRequest(_message.Message):
    __slots__ = ("n", "memory_type")
    N_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TYPE_FIELD_NUMBER: _ClassVar[int]
    n: int
    memory_type: str
    def __init__(self, n: _Optional[int] = ..., memory_type: _Optional[str] = ...) -> None: ...

class OutcomeRequest(_message.Message):
    __slots__ = ("coord", "outcome_json")
    COORD_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_JSON_FIELD_NUMBER: _ClassVar[int]
    coord: Coordinate
    outcome_json: str
    def __init__(self, coord: _Optional[_Union[Coordinate, _Mapping]] = ..., outcome_json: _Optional[str] = ...) -> None: ...

class OutcomeResponse(_message.Message):
    __slots__ = ("ok", "version", "error", "correction", "indexed")
    OK_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    version: int
    error: bool
    correction: Coordinate
    indexed: bool
    def __init__(self, ok: _Optional[bool] = ..., version: _Optional[int] = ..., error: _Optional[bool] = ..., correction: _Optional[_Union[Coordinate, _Mapping]] = ..., indexed: _Optional[bool] = ...) -> None: ...

class ConsolidateRequest(_message.Message):
    __slots__ = ("window_seconds", "limit")
    WINDOW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    window_seconds: float
    limit: int
    def __init__(self, window_seconds: _Optional[float] = ..., limit: _Optional[int] = ...) -> None: ...

class ConsolidateResponse(_message.Message):
    __slots__ = ("stored", "unchanged", "complete", "indexed")
    STORED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    stored: int
    unchanged: int
    complete: bool
    indexed: bool
    def __init__(self, stored: _Optional[int] = ..., unchanged: _Optional[int] = ..., complete: _Optional[bool] = ..., indexed: _Optional[bool] = ...) -> None: ...

class AuditRequest(_message.Message):
    __slots__ = ("action", "limit", "before")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    action: str
    limit: int
    before: int
    def __init__(self, action: _Optional[str] = ..., limit: _Optional[int] = ..., before: _Optional[int] = ...) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("number", "at", "caller", "action", "coord", "request_id", "details_json")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    COORD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DETAILS_JSON_FIELD_NUMBER: _ClassVar[int]
    number: int
    at: float
    caller: str
    action: str
    coord: Coordinate
    request_id: str
    details_json: str
    def __init__(self, number: _Optional[int] = ..., at: _Optional[float] = ..., caller: _Optional[str] = ..., action: _Optional[str] = ..., coord: _Optional[_Union[Coordinate, _Mapping]] = ..., request_id: _Optional[str] = ..., details_json: _Optional[str] = ...) -> None: ...

class AuditResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ("vectors",)
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    vectors: bool
    def __init__(self, vectors: _Optional[bool] = ...) -> None: ...

class ExportLines(_message.Message):
    __slots__ = ("lines",)
    LINES_FIELD_NUMBER: _ClassVar[int]
    lines: bytes
    def __init__(self, lines: _Optional[bytes] = ...) -> None: ...

class ImportLines(_message.Message):
    __slots__ = ("lines", "replace")
    LINES_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    lines: bytes
    replace: bool
    def __init__(self, lines: _Optional[bytes] = ..., replace: _Optional[bool] = ...) -> None: ...

class ImportResponse(_message.Message):
    __slots__ = ("imported", "created", "replaced", "unchanged", "versions", "links", "removed", "failed", "complete", "indexed", "errors")
    IMPORTED_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    imported: int
    created: int
    replaced: int
    unchanged: int
    versions: int
    links: int
    removed: int
    failed: int
    complete: bool
    indexed: bool
    errors: _containers.RepeatedCompositeFieldContainer[ItemError]
    def __init__(self, imported: _Optional[int] = ..., created: _Optional[int] = ..., replaced: _Optional[int] = ..., unchanged: _Optional[int] = ..., versions: _Optional[int] = ..., links: _Optional[int] = ..., removed: _Optional[int] = ..., failed: _Optional[int] = ..., complete: _Optional[bool] = ..., indexed: _Optional[bool] = ..., errors: _Optional[_Iterable[_Union[ItemError, _Mapping]]] = ...) -> None: ...

class EraseRequest(_message.Message):
    __slots__ = ("coord", "namespace")
    COORD_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    coord: Coordinate
    namespace: str
    def __init__(self, coord: _Optional[_Union[Coordinate, _Mapping]] = ..., namespace: _Optional[str] = ...) -> None: ...

class EraseResponse(_message.Message):
    __slots__ = ("complete", "postgres", "index_entries", "index_reached", "locks", "locks_reached", "topics")
    class PostgresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    POSTGRES_FIELD_NUMBER: _ClassVar[int]
    INDEX_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    INDEX_REACHED_FIELD_NUMBER: _ClassVar[int]
    LOCKS_FIELD_NUMBER: _ClassVar[int]
    LOCKS_REACHED_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    complete: bool
    postgres: _containers.ScalarMap[str, int]
    index_entries: int
    index_reached: bool
    locks: int
    locks_reached: bool
    topics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, complete: _Optional[bool] = ..., postgres: _Optional[_Mapping[str, int]] = ..., index_entries: _Optional[int] = ..., index_reached: _Optional[bool] = ..., locks: _Optional[int] = ..., locks_reached: _Optional[bool] = ..., topics: _Optional[_Iterable[str]] = ...) -> None: ...
