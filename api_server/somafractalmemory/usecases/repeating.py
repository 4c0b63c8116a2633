"""The use case of keys: do a request once, and answer its repetitions with the same."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import structlog

from somafractalmemory import telemetry
from somafractalmemory.errors import InProgress, InvalidRequest, SomaError
from somafractalmemory.ports.repeats import KEPT_SECONDS, MAX_ANSWER, Answered, KeyScope, RequestKeys

log = structlog.get_logger(__name__)

_PRUNED_AT_ONCE = 5000


class Repeating:
    """Reserves, works, completes. Only answers of success are kept: after any other one a repetition works again."""

    def __init__(self, keys: RequestKeys) -> None:
        self._keys = keys

    async def once(
        self, scope: KeyScope, digest: bytes, work: Callable[[], Awaitable[Answered]], *, lease_seconds: float
    ) -> tuple[Answered, bool]:
        """The answer of the work, or the one of its first time; says whether it is the latter.

        Raises InvalidRequest when the key belongs to another request, InProgress while its request is under way, and
        whatever the work raises.
        """
        owner = uuid4()
        known = await self._keys.reserve(scope, digest, owner, lease_seconds=lease_seconds)
        if known is not None:
            if known.digest != digest:
                raise InvalidRequest(
                    "this Idempotency-Key was used for another request: take a new one",
                    loc=("header", "Idempotency-Key"),
                )
            if known.answer is None:
                raise InProgress("a request with this Idempotency-Key is under way: wait for its answer")
            telemetry.REPLAYED.inc()
            return known.answer, True
        try:
            answer = await work()
        except BaseException:
            await self._release(scope, owner)
            raise
        if 200 <= answer.status < 300 and len(answer.body) <= MAX_ANSWER:
            await self._complete(scope, owner, answer)
        else:
            await self._release(scope, owner)
        return answer, False

    async def prune_forever(self, every_seconds: float = 600.0) -> None:
        """Forget old keys until cancelled."""
        while True:
            try:
                pruned = _PRUNED_AT_ONCE
                while pruned == _PRUNED_AT_ONCE:
                    pruned = await self._keys.prune(_PRUNED_AT_ONCE)
            except SomaError as error:
                log.info("keys_not_pruned", error=str(error))
            await asyncio.sleep(every_seconds * random.uniform(0.5, 1.5))  # noqa: S311  # jitter, not a secret

    async def _complete(self, scope: KeyScope, owner: UUID, answer: Answered) -> None:
        """The work is done whatever comes of this: an answer that is not kept only costs a repetition."""
        try:
            await self._keys.complete(scope, owner, answer, keep_seconds=KEPT_SECONDS)
        except SomaError as error:
            log.warning("answer_not_kept", error=str(error))

    async def _release(self, scope: KeyScope, owner: UUID) -> None:
        try:
            await self._keys.release(scope, owner)
        except SomaError as error:
            log.info("key_not_released", error=str(error), hint="its lease ends by itself")
