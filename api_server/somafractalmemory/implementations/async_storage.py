"""Keys and values in Redis and in Postgres: two classes with one behaviour.

Keys belong to a namespace; nothing of another one is ever seen. Values and fields are bytes (a text is taken as
UTF-8). Every method raises `InvalidRequest` for a key, value or pattern that is none, `Rejected` where a key holds the
other kind of thing, `Unavailable` when the store does not answer in time.
"""

from somafractalmemory.implementations.keyvalue_postgres import AsyncPostgresKeyValueStore
from somafractalmemory.implementations.keyvalue_redis import AsyncRedisKeyValueStore

__all__ = ["AsyncPostgresKeyValueStore", "AsyncRedisKeyValueStore"]
