"""Keeping: files, versions, audit, decay, locks, hooks, health."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import orjson
import structlog

from somafractalmemory.errors import InvalidRequest, NotFound, SomaError
from somafractalmemory.model import Coordinate, memory_id, nobody_at
from somafractalmemory.model.transfer import MAX_LINE
from somafractalmemory.ports.care import Deed
from somafractalmemory.security.acting import act_as
from somafractalmemory.synchronous.base import Face
from somafractalmemory.synchronous.locks import Lock
from somafractalmemory.synchronous.reading import Record
from somafractalmemory.synchronous.values import place_of, record_of
from somafractalmemory.usecases.importing import Line

log = structlog.get_logger(__name__)

Result = TypeVar("Result")
_TRANSFER_SECONDS = 4 * 3600.0
_LINES = 200
_WORD = 100


class Keeping(Face):
    """What programs do with the whole of their memories."""

    def export_memories(self, path: str | os.PathLike[str]) -> int:
        """Write every memory with its versions, and every link, as lines that `import_memories` takes back.

        The file appears under its name only once it is whole. Answers how many memories are in it.

        Raises:
            OSError: the file cannot be written.
        """
        target = Path(path)
        unfinished = target.with_name(f"{target.name}.unfinished")
        try:
            with unfinished.open("wb") as file:
                count = self._ask(self._write(file), seconds=_TRANSFER_SECONDS)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        return count

    async def _write(self, file: IO[bytes]) -> int:
        last = b""
        async for lines in self._service.exporting.lines(namespace=self.namespace):
            await asyncio.to_thread(file.write, lines)
            last = lines
        return int(orjson.loads(last)["memories"])

    def import_memories(self, path: str | os.PathLike[str], replace: bool = False) -> int:
        """Put the lines of an export back, as they were; files of the original program are taken, too.

        With `replace`, memories that the file does not hold are removed, but only if no line was bad. Bad lines are
        left out and logged. Answers how many memories of the file are there now.

        Raises:
            OSError: the file cannot be read.
        """
        with Path(path).open("rb") as file:
            report = self._ask(
                self._service.importing.take(_lines(file), namespace=self.namespace, replace=replace),
                seconds=_TRANSFER_SECONDS,
            )
        if not report.complete:
            log.warning("import_incomplete", path=str(path), failed=report.failed, errors=report.errors)
        return report.imported

    def save_version(self, coordinate: Any) -> None:
        """Nothing is left to do: every version is kept when it is replaced. Raises NotFound."""
        place = place_of(coordinate)
        if not self._ask(self._service.recollecting.at(namespace=self.namespace, coordinates=[place])):
            raise nobody_at(place)

    def get_versions(self, coordinate: Any) -> list[Record]:
        """The memory and what it was before, newest first: up to 20 older ones; none when it was deleted."""
        place = place_of(coordinate)
        try:
            found = self._ask(self._service.versions(namespace=self.namespace, coordinate=place))
        except NotFound:
            return []
        return [record_of(memory) | {"version": memory.version} for memory in found]

    def audit_log(self, action: str, coordinate: Any = None, user: str = "system") -> None:
        """Write down in the audit that a user did something. Raises InvalidRequest, Unavailable.

        It is a table beside the memories, and never changed; deletions are in it anyway.
        """
        for name, text in (("action", action), ("user", user)):
            if not isinstance(text, str) or not 1 <= len(text) <= _WORD or "\x00" in text:
                raise InvalidRequest(f"{name} is a text of 1 to {_WORD} characters without NUL", loc=(name,))
        self._ask(self._write_down(action, None if coordinate is None else place_of(coordinate), user))

    async def _write_down(self, action: str, place: Coordinate | None, user: str) -> None:
        act_as(user)
        known = None if place is None else memory_id(self.namespace, place)
        await self._service.audit.append(Deed(action, self.namespace, place, known))

    def get_audit_log(self, n: int = 100, action: str | None = None) -> list[Record]:
        """The last rows of the audit, newest first: `at`, `user`, `action`, `coordinate`, `details`."""
        rows = self._ask(self._service.audit.page(self.namespace, action=action, before=None, limit=n))
        return [
            {
                "at": row.at,
                "user": row.caller,
                "action": row.deed.action,
                "coordinate": None if row.deed.coordinate is None else list(row.deed.coordinate),
                "details": dict(row.deed.details),
            }
            for row in rows
        ]

    def run_decay_once(self) -> None:
        """Carry out now what is due: decay, the size limit, the end of audit rows; unless another process is at it.

        What has decayed is hidden from the moment it is due; this only removes it for good.
        """
        self._ask(self._service.upkeep.step(), seconds=_TRANSFER_SECONDS)

    def acquire_lock(self, name: str, timeout: float = 10, wait_seconds: float = 10) -> Lock:
        """A lock of all processes on the same stores, not taken yet: use it in a `with` statement.

        Args:
            name: belongs to this system's namespace.
            timeout: seconds until others may have it, once this process can prolong it no more.
            wait_seconds: how long to wait for others.
        """
        lock = Lock(self._thread, namespace=self.namespace, name=name, ttl_seconds=timeout, wait_seconds=wait_seconds)
        self._locks.add(lock)
        return lock

    def with_lock(self, name: str, function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
        """What the function answers, called under the lock, which is prolonged while it runs.

        Raises:
            SomaFractalMemoryError: others held the lock for too long; or it was lost while the function ran, which
                is done all the same.
        """
        with self.acquire_lock(name) as lock:
            result = function(*arguments, **named)
        if lock.lost:
            raise SomaError(f"the lock {name!r} was lost while the function ran: another one may have run beside it")
        return result

    def set_hook(self, event: str, function: Callable[..., object] | None) -> None:
        """Call a function before or after `store`, `recall`, `forget` or `reflect`; None: no more.

        Raises InvalidRequest for an event that is none.
        """
        if function is not None and not callable(function):
            raise InvalidRequest("a hook is a function", loc=("function",))
        self._hooks.put(event, function)

    def health_check(self) -> dict[str, bool]:
        """Whether each store answers: truth, index, links (which live with the truth), and the embedder in process."""
        components = self._ask(self._thread.runtime.health.check())
        truth = components["postgres"].ok
        index = components["qdrant"].ok if "qdrant" in components else True
        return {"kv_store": truth, "vector_store": index, "graph_store": truth, "prediction_provider": True}


async def _lines(file: IO[bytes]) -> AsyncIterator[Line]:
    while some := await asyncio.to_thread(_some_lines, file):
        for line in some:
            yield line


def _some_lines(file: IO[bytes]) -> list[Line]:
    found: list[Line] = []
    size = 0
    while len(found) < _LINES and size < MAX_LINE and (line := file.readline(MAX_LINE + 1)):
        size += len(line)
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE)
            found.append(InvalidRequest(f"a line has at most {MAX_LINE} bytes"))
        else:
            found.append(line.rstrip(b"\r\n"))
    return found
