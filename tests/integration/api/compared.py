"""Which operation of the service is compared by which method of the faces, and what is left out for which reason."""

from collections.abc import Mapping

COMPARED: Mapping[tuple[str, str], str] = {
    ("POST", "/store"): "store",
    ("POST", "/store_bulk"): "store_many",
    ("GET", "/memories/{coord}"): "get",
    ("GET", "/memories/{coord}/versions"): "versions",
    ("PATCH", "/memories/{coord}"): "amend",
    ("PUT", "/memories/{coord}/importance"): "importance",
    ("DELETE", "/memories/{coord}"): "delete",
    ("POST", "/delete_many"): "delete_many",
    ("GET", "/memories"): "everything",
    ("POST", "/recall"): "recall",
    ("POST", "/recall_batch"): "batch",
    ("POST", "/recall_with_scores"): "by_vectors",
    ("POST", "/hybrid_recall_with_scores"): "hybrid",
    ("POST", "/recall_with_context"): "in_context",
    ("POST", "/explain"): "explain",
    ("POST", "/keyword_search"): "keyword",
    ("GET", "/range"): "within",
    ("POST", "/link"): "link",
    ("POST", "/links"): "link_many",
    ("DELETE", "/link"): "unlink",
    ("GET", "/links"): "links",
    ("GET", "/neighbors"): "neighbors",
    ("GET", "/shortest_path"): "path",
    ("GET", "/recent"): "recent",
    ("GET", "/important"): "important",
    ("GET", "/reflect"): "by_chance",
    ("GET", "/replay"): "by_chance",
    ("POST", "/outcome"): "outcome",
    ("POST", "/consolidate"): "consolidate",
    ("GET", "/export"): "export",
    ("POST", "/import"): "bring",
    ("GET", "/stats"): "stats",
    ("GET", "/readyz"): "healthy",
    ("GET", "/audit"): "audit",
    ("POST", "/erase"): "erase",
}

ONLY_HTTP: Mapping[tuple[str, str], str] = {
    ("GET", "/recall"): "POST /recall in another spelling; the parity suite compares these two",
    ("GET", "/health"): "the name that /readyz had",
    ("GET", "/healthz"): "whether this process lives, which nobody can ask but whoever runs it",
}

WITHOUT: Mapping[tuple[str, str], str] = {
    ("core", "batch"): "in one process, one question after another costs no more",
    ("core", "link_many"): "in one process, one link after another is as good",
    ("core", "erase"): "erasing for good is for administrators: `soma erase`",
    ("cli", "erase"): "`soma erase` works on the stores themselves, without an API: test_erasing_over_real_stores.py",
}
