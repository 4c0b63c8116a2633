"""Settings -> opened adapters -> service. The only place that picks adapters.

`runtimes` puts together what the programs run; the other modules each make one part of it.
"""

from somafractalmemory.wiring.gate import tokens_of
from somafractalmemory.wiring.rules import rules_of, topics_of
from somafractalmemory.wiring.runtimes import ApiRuntime, ConsumerRuntime, open_api, open_consumer, open_embedded
from somafractalmemory.wiring.stores import bring_schema_up, open_locks_of, open_truth_and_index

__all__ = [
    "ApiRuntime",
    "ConsumerRuntime",
    "bring_schema_up",
    "open_api",
    "open_consumer",
    "open_embedded",
    "open_locks_of",
    "open_truth_and_index",
    "rules_of",
    "tokens_of",
    "topics_of",
]
