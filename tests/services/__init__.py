"""Private instances of the real stores for tests: Postgres, Redis, Kafka, and Qdrant's engine behind qdrant-edge.

Each is a class with `start`, `stop`, `kill9` and `restart` that keeps its folder and port, so that chaos tests can
do to it what a node does to a pod. `python -m tests.services` starts all four for a developer.
"""

import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
for _folder in (_ROOT / "kind", _ROOT / "kind/images/qdrant-edge"):  # pytest knows them already, `python -m` does not
    if str(_folder) not in sys.path:
        sys.path.append(str(_folder))
