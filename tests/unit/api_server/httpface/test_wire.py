"""The bytes of an answer on a connection."""

import asyncio
from typing import Any

from somafractalmemory.httpface.wire import GatheringTransport


class Recorded:
    """A transport that notes what it is told to do."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


async def test_what_is_written_in_one_turn_leaves_together() -> None:
    real = Recorded()
    transport = GatheringTransport(real)

    transport.write(b"head ")
    transport.write(b"")
    transport.write(b"body")
    at_once = list(real.done)
    await asyncio.sleep(0)
    transport.write(b"next")
    await asyncio.sleep(0)

    assert at_once == []
    assert real.done == [b"head body", b"next"]


async def test_a_stream_that_never_rests_is_sent_in_bounded_pieces() -> None:
    real = Recorded()
    transport = GatheringTransport(real)

    for _ in range(10):
        transport.write(b"x" * 20_000)

    assert [len(piece) for piece in real.done] == [80_000, 80_000]
    await asyncio.sleep(0)
    assert sum(map(len, real.done)) == 200_000


async def test_closing_sends_what_was_written_before() -> None:
    real = Recorded()
    transport = GatheringTransport(real)

    transport.write(b"bye")
    transport.close()
    await asyncio.sleep(0)

    assert real.done == [b"bye", "closed"]
    assert transport.is_closing()
