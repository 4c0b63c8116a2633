"""What every keeper of request keys promises. A subclass brings the fixture `records`: empty."""

import asyncio
from uuid import UUID, uuid4

from somafractalmemory.ports.repeats import Answered, KeyScope, Known
from tests.contracts.records import Truth

SCOPE = KeyScope("somebody", "here", "POST /store", "key-1")
ANSWER = Answered(200, [("etag", '"1"')], b'{"ok":true}\x00\xff')


async def reserve(records: Truth, scope: KeyScope = SCOPE, digest: bytes = b"d", lease: float = 60.0) -> UUID | Known:
    """A reservation's owner, or what is known already."""
    owner = uuid4()
    known = await records.request_keys.reserve(scope, digest, owner, lease_seconds=lease)
    return owner if known is None else known


class KeysContract:
    """Behaviour, not implementation."""

    async def test_a_key_is_reserved_once_and_then_answered(self, records: Truth) -> None:
        owner = await reserve(records)
        assert isinstance(owner, UUID)
        assert await reserve(records) == Known(b"d", None)
        assert await reserve(records, digest=b"other") == Known(b"d", None)

        await records.request_keys.complete(SCOPE, owner, ANSWER, keep_seconds=60)

        known = await reserve(records, digest=b"other")
        assert isinstance(known, Known)
        assert known.answer is not None
        assert (known.digest, known.answer.status, known.answer.body) == (b"d", 200, ANSWER.body)
        assert [tuple(header) for header in known.answer.headers] == [("etag", '"1"')]

    async def test_the_same_text_elsewhere_is_another_key(self, records: Truth) -> None:
        others = [
            KeyScope("another", "here", "POST /store", "key-1"),
            KeyScope("somebody", "there", "POST /store", "key-1"),
            KeyScope("somebody", "here", "POST /link", "key-1"),
            KeyScope("somebody", "here", "POST /store", "key-2"),
        ]

        assert all([isinstance(await reserve(records, scope), UUID) for scope in [SCOPE, *others]])

    async def test_a_reservation_that_is_over_is_for_the_same_request_only(self, records: Truth) -> None:
        await reserve(records, lease=0.0)

        assert await reserve(records, digest=b"other") == Known(b"d", None)
        assert isinstance(await reserve(records), UUID)

    async def test_only_its_owner_completes_or_releases_a_reservation(self, records: Truth) -> None:
        owner = await reserve(records)
        assert isinstance(owner, UUID)
        await records.request_keys.complete(SCOPE, uuid4(), ANSWER, keep_seconds=60)
        await records.request_keys.release(SCOPE, uuid4())
        assert await reserve(records) == Known(b"d", None)

        await records.request_keys.release(SCOPE, owner)

        assert isinstance(await reserve(records, digest=b"other"), UUID)

    async def test_an_answer_is_not_released(self, records: Truth) -> None:
        owner = await reserve(records)
        assert isinstance(owner, UUID)
        await records.request_keys.complete(SCOPE, owner, ANSWER, keep_seconds=60)

        await records.request_keys.release(SCOPE, owner)

        assert isinstance(await reserve(records), Known)

    async def test_what_is_over_is_free_again_and_pruned(self, records: Truth) -> None:
        scopes = [KeyScope("somebody", "here", "POST /store", f"key-{n}") for n in range(4)]
        for scope in scopes:
            owner = await reserve(records, scope)
            assert isinstance(owner, UUID)
            keep = 60.0 if scope is scopes[3] else 0.0
            await records.request_keys.complete(scope, owner, ANSWER, keep_seconds=keep)

        assert isinstance(await reserve(records, scopes[0], digest=b"other"), UUID)
        assert [await records.request_keys.prune(1) for _ in range(3)] == [1, 1, 0]
        assert isinstance(await reserve(records, scopes[3]), Known)

    async def test_of_many_at_the_same_time_one_works(self, records: Truth) -> None:
        answers = await asyncio.gather(*(reserve(records) for _ in range(10)))

        assert sum(isinstance(answer, UUID) for answer in answers) == 1
