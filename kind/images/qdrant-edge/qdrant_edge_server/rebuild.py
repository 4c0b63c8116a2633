"""`python -m qdrant_edge_server.rebuild FOLDER`: let the engine optimise the shard in FOLDER, in a process of its own.

Building an HNSW graph holds Python's interpreter lock for seconds to minutes; in the server every request would stand
still for so long. The server works on the original meanwhile, see `Collection.reindex`.
"""

import os
import sys

import qdrant_edge as engine


def main() -> None:
    """Optimise, make it durable, and end."""
    os.nice(10)  # searches come first
    shard = engine.EdgeShard.load(sys.argv[1])
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    main()
