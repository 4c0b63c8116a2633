"""qdrant-edge: a small REST server over Qdrant's embedded engine (`qdrant-edge-py`).

It is not Qdrant's server. It speaks the part of Qdrant's REST API that `qdrant-client` needs for one node, so that
SomaMemory runs where the official image cannot be fetched; everywhere else the operator deploys `qdrant/qdrant`.

    HTTP -> web (routing, key, errors) -> routes -> conversions (filters, queries, points, ...) -> collection -> engine

The engine keeps Python's interpreter lock for the length of every call (measured: a ticking thread stands still
while one runs). A worker thread would therefore add its hand-over and free nothing, so engine calls, which take a
millisecond or less, are made directly. Building HNSW graphs is the exception (4 seconds for 10,000 vectors of 768
dimensions): it is done on a copy, by a process of its own, once a collection is large enough for graphs to pay.
"""
