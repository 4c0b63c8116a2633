"""What every store of keys and values does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import pytest

from somafractalmemory.errors import InvalidRequest, Rejected, Unavailable

KEYS = ["user:1", "user:2", "user:10", "user", "us*er", "user_1", "user%1", "a[b]", "back\\slash", "Üser", "x"]


class Store(Protocol):
    """Both classes."""

    async def set(self, key: str, value: bytes | str) -> None: ...
    async def get(self, key: str) -> bytes | None: ...
    async def delete(self, key: str) -> bool: ...
    def scan_iter(self, pattern: str = "*") -> AsyncIterator[str]: ...
    async def hset(self, key: str, mapping: Mapping[str | bytes, bytes | str]) -> None: ...
    async def hgetall(self, key: str) -> dict[bytes, bytes]: ...
    def lock(self, name: str, timeout: float = 10.0) -> AbstractAsyncContextManager[Any]: ...
    async def health_check(self) -> bool: ...
    async def close(self) -> None: ...


Opener = Callable[[str], Store]


class KeyValueContract:
    """Behaviour, not implementation. `open_store` opens one of a namespace that only this test has."""

    async def test_what_was_set_is_what_is_got(self, open_store: Opener) -> None:
        """(gRPC defect 11)"""
        store = open_store("a")
        values = [b"", b'{"ok": true}', bytes(range(256)), "Grüße".encode()]
        for number, value in enumerate(values):
            await store.set(f"key {number}", value)
        await store.set("text", "Grüße")
        await store.set("key 0", b"again")

        assert [await store.get(f"key {number}") for number in range(4)] == [b"again", *values[1:]]
        assert await store.get("text") == "Grüße".encode()
        assert await store.get("nothing") is None

    async def test_a_deleted_key_is_gone(self, open_store: Opener) -> None:
        store = open_store("a")
        await store.set("key", b"value")

        assert await store.delete("key")
        assert not await store.delete("key")
        assert await store.get("key") is None

    async def test_a_hash_keeps_the_fields_that_are_not_set(self, open_store: Opener) -> None:
        """(gRPC defect 11)"""
        store = open_store("a")
        await store.hset("hash", {"one": b"1", "two": "2"})
        await store.hset("hash", {b"two": bytes(range(256)), b"\xff\x00": b""})

        assert await store.hgetall("hash") == {b"one": b"1", b"two": bytes(range(256)), b"\xff\x00": b""}
        assert await store.hgetall("nothing") == {}
        assert await store.delete("hash")
        assert await store.hgetall("hash") == {}

    async def test_a_key_holds_one_kind_of_thing(self, open_store: Opener) -> None:
        store = open_store("a")
        await store.set("value", b"1")
        await store.hset("hash", {"one": b"1"})

        with pytest.raises(Rejected):
            await store.hset("value", {"one": b"1"})
        with pytest.raises(Rejected):
            await store.hgetall("value")
        with pytest.raises(Rejected):
            await store.get("hash")
        await store.set("hash", b"now a value")
        assert await store.get("hash") == b"now a value"

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("*", KEYS),
            ("user*", ["user:1", "user:2", "user:10", "user", "user_1", "user%1"]),
            ("user?1", ["user:1", "user_1", "user%1"]),
            ("user_1", ["user_1"]),
            ("user%1", ["user%1"]),
            ("%", []),
            ("us\\*er", ["us*er"]),
            ("user:[12]", ["user:1", "user:2"]),
            ("user:[^1]", ["user:2"]),
            ("user:[0-1]*", ["user:1", "user:10"]),
            ("a\\[b\\]", ["a[b]"]),
            ("back\\\\slash", ["back\\slash"]),
            ("Ü*", ["Üser"]),
            ("**1", ["user:1", "user_1", "user%1"]),
            (".*", []),
            ("user$", []),
            ("x|user", []),
        ],
    )
    async def test_a_pattern_means_what_redis_means(
        self, open_store: Opener, pattern: str, expected: list[str]
    ) -> None:
        store = open_store("a")
        for key in KEYS:
            await store.set(key, b"")

        assert {key async for key in store.scan_iter(pattern)} == set(expected)

    async def test_a_scan_of_many_keys_misses_none(self, open_store: Opener) -> None:
        store = open_store("a")
        for some in range(0, 1200, 100):
            await asyncio.gather(*(store.set(f"key:{number}", b"") for number in range(some, some + 100)))

        assert {key async for key in store.scan_iter("key:*")} == {f"key:{number}" for number in range(1200)}

    async def test_namespaces_do_not_see_each_other(self, open_store: Opener) -> None:
        one, other, third = open_store("a"), open_store("a:b"), open_store("a_b")
        await one.set("b:key", b"one")
        await one.set("key", b"one")
        await other.set("key", b"other")

        assert await one.get("b:key") == b"one"
        assert await other.get("key") == b"other"
        assert await third.get("key") is None
        assert [key async for key in other.scan_iter("*")] == ["key"]
        assert [key async for key in third.scan_iter("*")] == []

    async def test_a_lock_has_one_holder_and_growing_fences(self, open_store: Opener) -> None:
        """(gRPC defect 11)"""
        store, fences, inside = open_store("a"), list[int](), 0

        async def work() -> None:
            nonlocal inside
            async with store.lock("name", timeout=5) as held:
                inside += 1
                assert inside == 1
                fences.append(held.lease.fence)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(work() for _ in range(5)))

        assert len(set(fences)) == 5
        assert fences == sorted(fences)

    async def test_a_lock_that_others_hold_is_refused_in_time(self, open_store: Opener) -> None:
        """(gRPC defect 11)"""
        store, elsewhere = open_store("a"), open_store("b")
        async with store.lock("name", timeout=0.3):
            with pytest.raises(Unavailable):
                async with store.lock("name", timeout=0.05):
                    pass
            async with elsewhere.lock("name", timeout=0.3) as held:
                assert held.lease.fence > 0

    @pytest.mark.parametrize("key", ["", "a\x00b", "k" * 1025])
    async def test_a_wrong_key_is_refused(self, open_store: Opener, key: str) -> None:
        store = open_store("a")
        with pytest.raises(InvalidRequest):
            await store.set(key, b"")
        with pytest.raises(InvalidRequest):
            await store.hgetall(key)

    @pytest.mark.parametrize("pattern", ["", "[", "a[bc", "a\x00", "*" * 2000])
    async def test_a_wrong_pattern_is_refused(self, open_store: Opener, pattern: str) -> None:
        with pytest.raises(InvalidRequest):
            _ = [key async for key in open_store("a").scan_iter(pattern)]

    async def test_it_says_that_it_is_well(self, open_store: Opener) -> None:
        assert await open_store("a").health_check()
