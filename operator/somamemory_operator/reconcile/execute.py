"""Carrying out a plan: each action is one call, and when it changed something one line in the log and one metric."""

from collections.abc import Awaitable, MutableMapping
from contextlib import suppress

from somamemory_operator.cluster.client import Cluster, ForeignObjectError
from somamemory_operator.cluster.connection import ApiError
from somamemory_operator.decide.plan import Applied, Plan, hash_of
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.observed import Key, Obj, World, key_of, uid_of
from somamemory_operator.model.reasons import Reason
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
    ) -> None:
        self._cluster, self._metrics, self._memory, self._world = cluster, metrics, memory, world
        self._applied = applied

    async def execute(self, plan: Plan) -> Problem | None:
        """Do everything in order; return the first problem, None when all went well.

        Among the applies one that is refused does not keep the others from being made: what must wait is held by its
        gate already. Raises ApiError when the API server is away, since then nothing else can succeed either.
        """
        for create in plan.creates:
            if problem := await _problem(self._create(create)):
                return problem
        for growth in plan.growths:
            if problem := await _problem(self._cluster.grow(self._memory.namespace, growth)):
                return problem
            self._tell("grown", Key("PersistentVolumeClaim", growth.claim), f"the spec asks for {growth.size}")
        for deletion in plan.deletions:
            await self._cluster.delete(self._memory.namespace, deletion)
            self._applied.pop(deletion.key, None)
            self._tell("deleted", deletion.key, deletion.why)
        problems = [await _problem(self._apply(body)) for body in plan.applies]
        return next((problem for problem in problems if problem is not None), None)

    async def _create(self, body: Obj) -> None:
        await self._cluster.create(body, owner_uid=self._memory.uid)
        self._tell("created", key_of(body), "missing")

    async def _apply(self, body: Obj) -> None:
        key = key_of(body)
        before = self._world.children.get(key)
        live = await self._cluster.apply(body, known=before is not None, owner_uid=self._memory.uid)
        why = self._why(body, before)
        self._applied[key] = Applied.of(body, live)
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


async def _problem(action: Awaitable[None]) -> Problem | None:
    """Do one thing; a refusal becomes a value. Raises ApiError when the API server itself is in trouble."""
    try:
        await action
    except ForeignObjectError as error:
        return Problem(Reason.CONFLICT, str(error), retry=True)
    except ApiError as error:
        if error.refused or error.conflict or error.not_found:
            return problem_of(error)
        raise
    return None


def problem_of(error: ApiError) -> Problem:
    """What a failed call means for the resource, with what to do about it."""
    if error.conflict:
        return Problem(Reason.CONFLICT, f"{error}. The operator looks again.", retry=True)
    if error.status == 403:
        advice = "Allow it by RBAC, quota or admission policy; the operator tries again."
        return Problem(Reason.FORBIDDEN, f"{error}. {advice}", retry=True)
    if error.refused:
        return Problem(Reason.APPLY_REFUSED, f"{error}. Correct the spec; the operator tries again.", retry=True)
    return Problem(Reason.CLUSTER_UNAVAILABLE, f"{error}. The operator tries again.", retry=True)
