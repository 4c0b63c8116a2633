"""Replacing keys: everything that another key sealed is sealed again by the first one."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from somafractalmemory.model import SEALED
from somafractalmemory.ports import Records
from somafractalmemory.security.sealing import Seal

_BATCH = 200


@dataclass(slots=True)
class ResealReport:
    """How many states of memories, former versions among them, were sealed anew, and how many no key opens."""

    resealed: int = 0
    locked: int = 0


class Resealer:
    """Can be stopped and repeated at any time, beside writers: it only looks at what is left to do.

    Args:
        records: the truth itself, not the one behind a lens.
    """

    def __init__(self, *, records: Records, seal: Seal) -> None:
        self._care = records.care
        self._seal = seal

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> ResealReport:
        """Pass everything once; `progress` hears how many each batch held. Raises Unavailable.

        Events that were published, and the log of events, keep what they hold: drop an old key only when nobody needs
        to read it from there.
        """
        report = ResealReport()
        after: tuple[UUID, int] | None = None
        while page := await self._care.sealed(self._seal.mark, after, _BATCH):
            for memory in page:
                old = str(memory.payload[SEALED])
                new = self._seal.reseal(old, memory.id)
                if new is None:
                    report.locked += 1
                elif await self._care.reseal(memory.id, memory.version, old, new):
                    report.resealed += 1
            after = (page[-1].id, page[-1].version)
            progress(len(page))
        return report
