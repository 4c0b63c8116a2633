"""What is noted now and written down later."""

from somafractalmemory.usecases.flushing import Flushing
from tests.unit.api_server.conftest import eventually


class Notes(Flushing):
    """Writes down into a list."""

    def __init__(self, every_seconds: float) -> None:
        super().__init__(every_seconds=every_seconds, jitter=0.2)
        self.waiting: list[str] = []
        self.written: list[str] = []

    async def flush(self) -> None:
        self.written += self.waiting
        self.waiting.clear()


async def test_what_is_noted_is_written_down_again_and_again() -> None:
    async with Notes(every_seconds=0.001) as notes:
        notes.waiting.append("one")
        await eventually(lambda: notes.written == ["one"])
        notes.waiting.append("two")
        await eventually(lambda: notes.written == ["one", "two"])


async def test_what_was_noted_last_is_written_down_at_the_end() -> None:
    async with Notes(every_seconds=3600.0) as notes:
        notes.waiting.append("last")
        assert notes.written == []

    assert notes.written == ["last"]
