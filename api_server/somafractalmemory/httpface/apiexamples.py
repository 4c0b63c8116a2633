"""One example for each model of the OpenAPI document; a test holds them against the schemas."""

from typing import Any

_MEMORY = {
    "fact": "cats purr",
    "memory_type": "semantic",
    "coordinate": [1.0, 2.0, 3.0],
    "importance_norm": 0.5,
}
_SHOWN = {
    "coordinate": [1.0, 2.0, 3.0],
    "memory_type": "semantic",
    "payload": {"fact": "cats purr"},
    "importance": 1.0,
    "importance_norm": 0.5,
    "timestamp": None,
    "version": 1,
    "created_at": 1760000000.0,
    "updated_at": 1760000000.0,
    "access_count": 0,
    "accessed_at": None,
}
_PARTS = {"dense": 0.21, "sparse": 0.7, "importance": 0.03, "recency": 0.01}
_STORE = {"coord": "1,2,3", "payload": {"fact": "cats purr"}, "type": "semantic"}
_LINK = {"from_coord": "1,2,3", "to_coord": "4,5,6", "type": "related", "weight": 1.0}
_LISTED = {"from": [1.0, 2.0, 3.0], "to": [4.0, 5.0, 6.0], "type": "related", "weight": 1.0, "timestamp": 1760000000.0}

EXAMPLES: dict[str, Any] = {
    "StoreRequest": _STORE,
    "StoreResponse": {"ok": True, "indexed": True, "version": 1},
    "BulkRequest": {"items": [_STORE, {"coord": "4,5,6", "payload": {"fact": "dogs bark"}}]},
    "BulkResponse": {"stored": 2, "indexed": True},
    "MemoryResponse": _SHOWN,
    "AmendRequest": {"payload": {"mood": "content", "draft": None}},
    "ImportanceRequest": {"importance": 5},
    "DeleteManyRequest": {"coords": ["1,2,3", "4,5,6"]},
    "DeletedResponse": {"deleted": 2, "indexed": True},
    "VersionsResponse": {"versions": [_SHOWN]},
    "PageResponse": {"memories": [_SHOWN], "next": "1.0,2.0,3.0"},
    "StatsResponse": {"total_memories": 2, "episodic": 1, "semantic": 1},
    "EraseRequest": {"coord": "1,2,3"},
    "EraseResponse": {
        "complete": True,
        "postgres": {"memories": 1, "versions": 2, "links": 1, "logged_events": 3},
        "qdrant": {"entries": 1, "reached": True},
        "locks": {"entries": 0, "reached": True},
        "kafka": {"topics": ["memory.events", "memory.dlq"], "note": "events stay until their retention ends"},
    },
    "Problem": {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "top_k: too small",
        "errors": [{"loc": ["top_k"], "msg": "too small", "type": "greater_than_equal"}],
    },
    "RecallRequest": {"query": "what do cats do", "top_k": 5},
    "RecallResponse": {"matches": [_MEMORY]},
    "RecallBatchRequest": {"queries": ["what do cats do", "who barks"], "top_k": 3},
    "RecallBatchResponse": {"batches": [[_MEMORY], []]},
    "ScoredRequest": {"query": "what do cats do", "explain": True},
    "ScoredResponse": {"results": [{"payload": _MEMORY, "score": 0.95, "parts": _PARTS}]},
    "HybridScoredRequest": {"query": "what do cats do", "terms": ["purr"], "boost": 2.0},
    "ContextRequest": {"query": "what do cats do", "context": {"place": "the kitchen"}},
    "ResultsResponse": {"results": [_MEMORY]},
    "ExplainRequest": {"query": "what do cats do", "terms": ["purr"], "top_k": 3},
    "KeywordRequest": {"term": "purr", "mode": "word"},
    "RangeResponse": {"coords": [[1.0, 2.0, 3.0]]},
    "LinkRequest": _LINK,
    "LinksRequest": {"links": [_LINK]},
    "LinksPage": {"links": [_LISTED]},
    "LinksResponse": {"linked": 1},
    "OkResponse": {"ok": True},
    "NeighborsResponse": {
        "neighbors": [
            [[4.0, 5.0, 6.0], {"to": [4.0, 5.0, 6.0], "type": "related", "timestamp": 1760000000.0, "weight": 1.0}]
        ]
    },
    "PathResponse": {"path": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]},
    "MemoriesResponse": {"memories": [_SHOWN]},
    "OutcomeRequest": {"coord": "1,2,3", "outcome": "rain"},
    "OutcomeResponse": {"ok": True, "version": 2, "error": False, "correction": None, "indexed": True},
    "ConsolidateRequest": {"window_seconds": 3600},
    "ConsolidateResponse": {"stored": 1, "unchanged": 0, "complete": True, "indexed": True},
    "ImportResponse": {
        "imported": 2,
        "created": 2,
        "replaced": 0,
        "unchanged": 0,
        "versions": 1,
        "links": 1,
        "removed": 0,
        "failed": 0,
        "complete": True,
        "indexed": True,
        "errors": [],
    },
    "AuditResponse": {
        "entries": [
            {
                "number": 7,
                "at": 1760000000.0,
                "caller": "token-1f2e",
                "action": "deleted",
                "coordinate": [1.0, 2.0, 3.0],
                "request_id": None,
                "details": {},
            }
        ]
    },
    "LivenessResponse": {
        "status": "ok",
        "kv_store": True,
        "vector_store": True,
        "graph_store": True,
        "prediction_provider": True,
    },
    "HealthResponse": {
        "status": "degraded",
        "kv_store": True,
        "vector_store": False,
        "graph_store": True,
        "prediction_provider": True,
        "components": {
            "postgres": {"ok": True, "required": True, "detail": "", "ms": 1.2},
            "qdrant": {"ok": False, "required": False, "detail": "no answer within 1 s", "ms": 1000.0},
        },
    },
}
