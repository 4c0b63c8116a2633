"""What is learned from use: how important callers call their memories, and how often they retrieve them.

A write and a retrieval only note it here. Every two seconds it is folded into the truth, in one statement for each
namespace, so that all processes share it and nobody waits for it. A process that dies loses what it noted since.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from somafractalmemory import telemetry
from somafractalmemory.errors import SomaError
from somafractalmemory.model.importance import KEPT, Heard, Scale, Window, scale_of
from somafractalmemory.ports.care import Access, Care
from somafractalmemory.usecases.flushing import Flushing

log = structlog.get_logger(__name__)

_MOST_NAMESPACES = 10_000
_MOST_MEMORIES = 50_000
_BATCH = 1000


@dataclass(slots=True)
class _Namespace:
    """What the truth said last, what was heard since, and the scale that both make."""

    window: Window = field(default_factory=Window)
    read_at: float = float("-inf")
    heard: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    count: int = 0
    basis: tuple[float, ...] = ()
    scale: Scale = field(default_factory=Scale)

    def taken(self) -> Heard:
        """What was heard; afterwards, nothing was."""
        heard = Heard(tuple(self.heard), self.count)
        self.heard.clear()
        self.count = 0
        return heard

    def current(self) -> Scale:
        """The scale with everything that was heard."""
        basis = self.window.add(Heard(tuple(self.heard), self.count)).basis
        if basis is not self.basis and basis != self.basis:
            self.basis, self.scale = basis, scale_of(basis)
        return self.scale


class Usage(Flushing):
    """Notes at once, tells the truth later. Everything kept is bounded."""

    def __init__(
        self, care: Care, *, clock: Callable[[], float], every_seconds: float = 2.0, fresh_seconds: float = 10.0
    ) -> None:
        super().__init__(every_seconds=every_seconds, jitter=0.2)
        self._care = care
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._namespaces: OrderedDict[str, _Namespace] = OrderedDict()
        self._accesses: dict[UUID, Access] = {}

    def stored(self, namespace: str, importances: Iterable[float]) -> None:
        """Note the importances of memories that were just committed."""
        known = self._namespace(namespace)
        for importance in importances:
            known.heard.append(importance)
            known.count += 1

    def retrieved(self, place: UUID) -> None:
        """Note a retrieval. While more memories are waiting than can be kept, those of further ones are not counted."""
        seen = self._accesses.get(place)
        if seen is None and len(self._accesses) >= _MOST_MEMORIES:
            telemetry.USAGE_DROPPED.inc()
            return
        self._accesses[place] = Access(place, seen.count + 1 if seen else 1, self._clock())

    async def scales(self, namespaces: Iterable[str]) -> Mapping[str, Scale]:
        """The present scale of each; of one that nothing is known of, the scale that says one half to everything."""
        wanted = set(namespaces)
        unknown = [name for name in wanted if self._namespace(name).read_at == float("-inf")]
        if unknown:
            await self._read(unknown)
        return {name: self._namespace(name).current() for name in wanted}

    async def flush(self) -> None:
        """Tell the truth what was noted; what it cannot hear now is kept for the next time, within bounds."""
        try:
            await self._tell_importances()
            await self._tell_accesses()
            await self._read(self._stale())
        except SomaError as error:
            log.info("usage_delayed", error=str(error))

    async def _tell_importances(self) -> None:
        for name, known in list(self._namespaces.items()):
            if not known.count:
                continue
            heard = known.taken()
            try:
                known.window = await self._care.learn(name, heard)
                known.read_at = self._clock()
            except BaseException:
                known.heard = deque([*heard.values, *known.heard], maxlen=KEPT)
                known.count += heard.count
                raise

    async def _tell_accesses(self) -> None:
        while self._accesses:
            batch = [self._accesses.pop(place) for place in list(self._accesses)[:_BATCH]]
            try:
                await self._care.accessed(batch)
            except BaseException:
                self._put_back(batch)
                raise

    def _put_back(self, batch: Iterable[Access]) -> None:
        for access in batch:
            since = self._accesses.get(access.id)
            count, at = (since.count, since.at) if since else (0, access.at)
            self._accesses[access.id] = Access(access.id, access.count + count, at)

    async def _read(self, names: list[str]) -> None:
        """What other processes heard. While the truth is away, what was known stays."""
        if not names:
            return
        try:
            windows = await self._care.windows(names)
        except SomaError as error:
            log.info("importance_scales_unknown", error=str(error))
            return
        for name in names:
            known = self._namespace(name)
            known.window, known.read_at = windows.get(name, known.window), self._clock()

    def _stale(self) -> list[str]:
        before = self._clock() - self._fresh_seconds
        return [name for name, known in self._namespaces.items() if known.read_at < before][:_BATCH]

    def _namespace(self, name: str) -> _Namespace:
        """What is known of it; of too many, those that were asked for longest ago are forgotten."""
        known = self._namespaces.get(name)
        if known is None:
            known = self._namespaces[name] = _Namespace()
            if len(self._namespaces) > _MOST_NAMESPACES:
                self._namespaces.popitem(last=False)
        self._namespaces.move_to_end(name)
        return known
