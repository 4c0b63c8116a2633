"""What the service needs from the world. `Records` owns the truth; everything else can be lost and rebuilt.

Every method raises `Unavailable` when its store cannot answer in time, and nothing of the store's client.
"""

from somafractalmemory.ports.limits import Limiter
from somafractalmemory.ports.links import Links
from somafractalmemory.ports.locks import Lease, Locks
from somafractalmemory.ports.lookups import Box, Lookups, Order, Period, Recollections, Search
from somafractalmemory.ports.pinged import Pinged
from somafractalmemory.ports.records import EventLog, Outbox, OutboxDepth, Records
from somafractalmemory.ports.topics import Message, Publisher, Stream
from somafractalmemory.ports.transfers import Import, Transfers
from somafractalmemory.ports.vectors import Embedder, Vectors

__all__ = [
    "Box",
    "Embedder",
    "EventLog",
    "Import",
    "Lease",
    "Limiter",
    "Links",
    "Locks",
    "Lookups",
    "Message",
    "Order",
    "Outbox",
    "OutboxDepth",
    "Period",
    "Pinged",
    "Publisher",
    "Recollections",
    "Records",
    "Search",
    "Stream",
    "Transfers",
    "Vectors",
]
