"""Carrying out a plan: each action is one call, and when it changed something one line in the log and one metric."""

from collections.abc import Coroutine, MutableMapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from somamemory_operator.cluster.client import Cluster
from somamemory_operator.cluster.errors import ApiError, ForeignObjectError
from somamemory_operator.cluster.problems import problem_of
from somamemory_operator.decide.applied import Applied, hash_of
from somamemory_operator.decide.holds import refused_ground
from somamemory_operator.decide.plan import Deletion, Plan
from somamemory_operator.model.desired import Growth, Handover, Unlabelling
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import Key, Obj, World, key_of, uid_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.reconcile.repairs import Repairs
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.telemetry.logs import logger
from somamemory_operator.telemetry.metrics import Metrics

_log = logger(__name__)


class Executor:
    """Does what a plan says for one SomaMemory; `applied` remembers what the applies left behind."""

    def __init__(
        self,
        cluster: Cluster,
        metrics: Metrics,
        memory: SomaMemory,
        world: World,
        applied: MutableMapping[Key, Applied],
        repairs: Repairs,
    ) -> None:
        self._cluster, self._metrics, self._memory, self._world = cluster, metrics, memory, world
        self._applied, self._repairs = applied, repairs
        self._problems: list[Problem] = []
        self._refused: list[Obj] = []
        self._slow: set[str] = set()

    async def execute(self, plan: Plan) -> tuple[Problem, ...]:
        """Do everything in order; return what was in the way, nothing when all went well.

        What is refused costs that object, and the pods that would start half-configured without it; of a kind for
        which the server takes too long, the rest is left for the next pass. Raises ApiError when nobody answers,
        since then nothing else can succeed either.
        """
        for create in plan.creates:
            if not await self._try(create, self._create(create)) and not self._problems[-1].stalls:
                return tuple(self._problems)  # it may be there by now: look again before anything that depends on it
        for growth in plan.growths:
            await self._grow(growth)
        for deletion in plan.deletions:
            await self._delete(deletion)
        for body in plan.applies:
            if (missing := refused_ground(body, self._refused, self._world)) is None:
                await self._try(body, self._repair(body, plan.handovers.get(key_of(body))))
            else:
                self._problems.append(waiting_for(key_of(body), missing))
        for unlabelling in plan.unlabellings:
            await self._unlabel(unlabelling)
        return tuple(self._problems)

    async def _repair(self, body: Obj, handover: Handover | None) -> None:
        """Apply, with the right to take out what nobody wants.

        When that always comes back the object is left alone for a while: an apply without it would add our entry
        beside the other, and nothing would tell any more that the two are one.
        """
        if handover is not None:
            if not self._repairs.is_due(handover):
                self._problems.append(fight_over(handover))
                return
            self._repairs.made(handover)
            await self._cluster.hand_over(self._memory.namespace, handover)
            self._tell("cleaned", handover.key, f"nobody wants {', '.join(handover.entries)}")
        await self._apply(body)

    async def _try(self, obj: Obj, action: Coroutine[Any, Any, None]) -> bool:
        """Do one thing for an object of ours; returns whether it went well."""
        problem = await self._problem(key_of(obj), action)
        if problem is not None:
            self._problems.append(problem)
            self._refused.append(obj)
        return problem is None

    async def _problem(self, key: Key, action: Coroutine[Any, Any, None]) -> Problem | None:
        """Do one thing; a refusal becomes a value. Raises ApiError when nobody answers."""
        if key.kind in self._slow:
            action.close()
            text = f"{key}: left for the next pass, because the server takes too long for {key.kind}."
            return Problem(Reason.SERVER_ERROR, text, retry=True, key=key)
        try:
            await action
        except ForeignObjectError as error:
            return Problem(Reason.CONFLICT, str(error), retry=True, key=key, for_a_person=True)
        except ApiError as error:
            if error.unreachable:
                raise
            if error.slow:
                self._slow.add(key.kind)
            return problem_of(error, key)
        return None

    async def _grow(self, growth: Growth) -> None:
        """A refusal costs this claim its growth, and nothing else."""
        problem = await self._problem(growth.key, self._cluster.change(self._memory.namespace, growth))
        if problem is None:
            self._tell("grown", growth.key, f"the spec asks for {growth.size}")
        elif problem.reason in (Reason.FORBIDDEN, Reason.APPLY_REFUSED):
            text = (
                f"Not enlarged from {growth.now} to {growth.size}. {problem.message} Or set the size in the spec back."
            )
            refused = replace(problem, reason=Reason.VOLUME_GROWTH_REFUSED, message=text, for_a_person=True)
            self._problems.append(refused)
        else:
            self._problems.append(problem)

    async def _unlabel(self, unlabelling: Unlabelling) -> None:
        problem = await self._problem(unlabelling.key, self._cluster.change(self._memory.namespace, unlabelling))
        if problem is None:
            self._tell("unlabelled", unlabelling.key, f"{unlabelling.label} would make it another tool's")
        else:
            self._problems.append(problem)

    async def _delete(self, deletion: Deletion) -> None:
        problem = await self._problem(deletion.key, self._cluster.delete(self._memory.namespace, deletion))
        if problem is None:
            self._applied.pop(deletion.key, None)
            self._tell("deleted", deletion.key, deletion.why)
        else:
            self._problems.append(problem)

    async def _create(self, body: Obj) -> None:
        await self._cluster.create(body, owner_uid=self._memory.uid)
        self._tell("created", key_of(body), "missing")

    async def _apply(self, body: Obj) -> None:
        key = key_of(body)
        before = self._world.children.get(key)
        live = await self._cluster.apply(body, known=before is not None, owner_uid=self._memory.uid)
        why = self._why(body, before)
        self._applied[key] = Applied.of(body, live, before=before, last=self._applied.get(key))
        if before is None or before["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]:
            self._tell("created" if before is None else "applied", key, why)

    def _why(self, body: Obj, before: Obj | None) -> str:
        last = self._applied.get(key_of(body))
        if before is None:
            return "missing" if last is None else "deleted by somebody else"
        if last is None:
            return "not applied by this process yet"
        if last.wanted != hash_of(body):
            return "the spec or its surroundings changed"
        return "edited by somebody else" if last.uid == uid_of(before) else "replaced by somebody else"

    def _tell(self, action: str, key: Key, why: str) -> None:
        self._metrics.repairs.labels(action, key.kind).inc()
        memory = f"{self._memory.namespace}/{self._memory.name}"
        with suppress(ValueError):  # a closed stdout must not stop the operator
            _log.info(action, memory=memory, kind=key.kind, name=key.name, why=why)


def waiting_for(key: Key, missing: Key) -> Problem:
    """A workload that is not touched, because something that its pods stand on is refused."""
    text = f"{key} waits for {missing}, which is refused: its pods would start half-configured."
    return Problem(Reason.WAITING, text, retry=True, key=key)


def fight_over(handover: Handover) -> Problem:
    """Somebody puts entries into a list as often as we take them out."""
    text = (
        f"{handover.key}: {', '.join(handover.entries)} comes back as often as the operator takes it out. Stop who "
        "puts it there, or have it applied server-side under a name of its own, which the operator leaves alone."
    )
    return Problem(Reason.CONFLICT, text, retry=True, key=handover.key, for_a_person=True)
