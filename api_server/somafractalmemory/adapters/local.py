"""Every port in this process: for unit tests and `soma serve --embedded`. The data goes away with the process."""

from somafractalmemory.adapters.local_limiter import LocalLimiter
from somafractalmemory.adapters.local_records import LocalRecords
from somafractalmemory.adapters.local_vectors import LocalVectors

__all__ = ["LocalLimiter", "LocalRecords", "LocalVectors"]
