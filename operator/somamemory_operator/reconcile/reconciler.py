"""One pass of the operator over one SomaMemory: look at everything, do what is missing, say how it stands.

Always the whole state; it never asks what has changed. It can be killed between any two lines: the next pass sees what
is there and goes on. What it remembers (`_applied`) only saves needless writes and may be lost at any time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from somamemory_operator.cluster.backoff import Backoff
from somamemory_operator.cluster.client import Cluster
from somamemory_operator.cluster.errors import ApiError, NotLeaderError
from somamemory_operator.cluster.problems import problem_of
from somamemory_operator.decide.applied import Applied
from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.decide.credentials import credentials, random_value
from somamemory_operator.decide.durability import spared
from somamemory_operator.decide.external import secrets_of as external_secrets_of
from somamemory_operator.decide.holds import unknowns
from somamemory_operator.decide.migrated import as_migrated, repairs
from somamemory_operator.decide.plan import Plan, plan
from somamemory_operator.decide.sources import secrets_of
from somamemory_operator.decide.tls.certificates import certificates, in_force, renewals
from somamemory_operator.decide.tls.hosts import secrets_of as tls_secrets_of
from somamemory_operator.decide.tls.mint import Mint, X509Mint
from somamemory_operator.manifests import build
from somamemory_operator.model.desired import Desired
from somamemory_operator.model.errors import InvalidSpec, Problem, worst_of
from somamemory_operator.model.observed import Key, MemoryKey, Obj, World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.reconcile.executor import Executor
from somamemory_operator.reconcile.repairs import Repairs
from somamemory_operator.reconcile.reporter import Reporter
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.settings import Settings
from somamemory_operator.status.status import refused_status, status
from somamemory_operator.telemetry.logs import logger
from somamemory_operator.telemetry.metrics import Metrics

_WORK = 0.75  # of the deadline of a run; the rest is for telling how it stands
_LOOK_AT_SECRETS = 20.0  # seconds
_PASSES = 4  # what one apply makes possible (a Secret that now exists) is done in the same run, but not for ever


@dataclass(frozen=True)
class Seen:
    """One look at a SomaMemory's surroundings, and what follows from it."""

    world: World
    desired: Desired | None = None
    plan: Plan | None = None
    problem: Problem | None = None


class Reconciler:
    """Reconciles one SomaMemory at a time per key; the queue sees to that."""

    def __init__(
        self,
        cluster: Cluster,
        settings: Settings,
        metrics: Metrics,
        *,
        deadline: float = 60.0,
        generate: Callable[[str], str] = random_value,
        mint: Mint | None = None,
    ) -> None:
        self._cluster, self._settings, self._metrics, self._generate = cluster, settings, metrics, generate
        self._mint = mint or X509Mint()
        self._reporter, self._deadline = Reporter(cluster, metrics), deadline
        self._retry, self._recheck = Backoff(first=1.0, most=60.0), Backoff(first=2.0, most=30.0)
        self._applied: dict[MemoryKey, tuple[str, dict[Key, Applied]]] = {}
        self._repairs: dict[MemoryKey, Repairs] = {}
        self._failures: dict[MemoryKey, int] = {}
        self._waits: dict[MemoryKey, int] = {}
        self._log = logger(__name__)

    def forget(self, key: MemoryKey | None = None) -> None:
        """Drop what is remembered about one resource, or about all: another replica may have led in between."""
        for memo in (self._applied, self._repairs, self._failures, self._waits):
            memo.pop(key, None) if key is not None else memo.clear()
        if key is not None:
            self._metrics.forget(*key)

    async def reconcile(self, key: MemoryKey) -> float | None:
        """Do one run and return the seconds after which to look again; None: only when something happens.

        Answers for every error itself, so that one broken resource never stops the others.
        """
        problem: Problem | None = None
        again: float | None = None
        with self._metrics.reconcile_seconds.labels("run").time():
            try:
                async with asyncio.timeout(self._deadline):
                    problem, again = await self._run(key)
            except NotLeaderError:
                return None
            except ApiError as error:
                problem = problem_of(error)
                self._log.warning("reconciliation failed", memory=str(key), error=str(error))
            except TimeoutError:
                problem = _too_long(self._deadline)
                self._log.warning("reconciliation took too long", memory=str(key), seconds=self._deadline)
            except Exception as error:  # the last line of defence: not even a mistake of ours stops the queue
                problem = _unexpected(error)
                self._log.exception("unexpected error", memory=str(key))
        return self._after(key, problem, again)

    async def _run(self, key: MemoryKey) -> tuple[Problem | None, float | None]:
        obj = await self._cluster.get(*key)
        if obj is None:
            self.forget(key)
            return None, None
        if "deletionTimestamp" in obj["metadata"]:  # owner references take the children with it
            return None, None
        try:
            async with asyncio.timeout(self._deadline * _WORK):
                problem, report = await self._bring_closer(key, obj)
        except (ApiError, NotLeaderError):
            raise
        except TimeoutError:  # the server takes its time for every call: say so while there is some left
            problem = _too_long(self._deadline * _WORK)
            report = refused_status(obj, problem, _now())
        except Exception as error:  # a mistake of ours: say so on the resource, go on with the others
            self._log.exception("unexpected error", memory=str(key))
            problem = _unexpected(error)
            report = refused_status(obj, problem, _now())
        was_new = await self._reporter.report(obj, report)
        return problem, self._look_again(key, obj, report, was_new=was_new)

    async def _bring_closer(self, key: MemoryKey, obj: Obj) -> tuple[Problem | None, Obj]:
        """Do all that can be done now; returns what is most in the way and the status to report."""
        try:
            memory = SomaMemory.parse(obj)
        except InvalidSpec as error:
            return error.problem, refused_status(obj, error.problem, _now())
        seen, problems = await self._look(memory, key), tuple[Problem, ...]()
        for _ in range(_PASSES):
            if memory.spec.paused or seen.plan is None or seen.plan.is_idle or problems:
                break
            applied, repairs = self._applied_to(key, memory), self._repairs.setdefault(key, Repairs())
            executor = Executor(self._cluster, self._metrics, memory, seen.world, applied, repairs)
            problems = await executor.execute(seen.plan)
            seen = await self._look(memory, key)
        problems += tuple(unknowns(seen.desired, seen.world)) if seen.desired is not None else ()
        self._log_all(key, problems)
        report = status(
            memory,
            desired=seen.desired,
            plan=seen.plan,
            world=seen.world,
            problem=seen.problem,
            problems=problems,
            now=_now(),
        )
        return seen.problem or worst_of(problems), report

    def _log_all(self, key: MemoryKey, problems: tuple[Problem, ...]) -> None:
        for problem in problems:
            self._metrics.refusals.labels(problem.reason.value, problem.key.kind if problem.key else "").inc()
            self._log.warning("refused", memory=str(key), reason=problem.reason.value, message=problem.message)

    async def _look(self, memory: SomaMemory, key: MemoryKey) -> Seen:
        """Look at the world, and decide what it should be and what is to be done."""
        brought = secrets_of(memory) | external_secrets_of(memory) | tls_secrets_of(memory)
        seen = Seen(await self._cluster.observe(memory.namespace, memory.name, brought))
        try:
            refusal = first_refusal(memory, seen.world, self._settings)
            if refusal is not None and refusal.reason is not Reason.DOWNGRADE:
                return self._refused(seen, refusal, memory, key)
            if refusal is not None:  # what that release runs is known, so it can be kept whole meanwhile
                _, todo = self._planned(as_migrated(memory, seen.world), seen.world, key)
                return replace(seen, problem=refusal, plan=repairs(todo, seen.world))
            desired, todo = self._planned(memory, seen.world, key)
            return replace(seen, desired=desired, plan=spared(memory, desired, todo, seen.world))
        except InvalidSpec as error:
            return self._refused(seen, error.problem, memory, key)

    def _refused(self, seen: Seen, problem: Problem, memory: SomaMemory, key: MemoryKey) -> Seen:
        """Nothing is changed but what would end by itself."""
        if in_force(memory, seen.world) is None:
            return replace(seen, problem=problem)
        _, todo = self._planned(memory, seen.world, key)
        return replace(seen, problem=problem, plan=renewals(todo, memory, seen.world))

    def _planned(self, memory: SomaMemory, world: World, key: MemoryKey) -> tuple[Desired, Plan]:
        now = _now()
        chosen = credentials(world, memory, self._generate, now)
        shown = certificates(world, memory, self._mint, now)
        desired = build(memory, self._settings, world, chosen, certificates=shown, now=now)
        return desired, plan(desired, world, self._applied_to(key, memory))

    def _applied_to(self, key: MemoryKey, memory: SomaMemory) -> dict[Key, Applied]:
        """What this process applied for this very resource; one of the same name made anew starts from nothing."""
        uid, applied = self._applied.get(key, ("", {}))
        if uid != memory.uid:
            applied = {}
            self._applied[key] = (memory.uid, applied)
        return applied

    def _look_again(self, key: MemoryKey, obj: Obj, report: Obj, *, was_new: bool) -> float | None:
        """While it is not Ready look again now and then: not everything that matters causes an event.

        The same as long as a kind cannot be looked at: a right that is given causes none either.
        """
        verdicts = {condition["type"]: condition["status"] for condition in report.get("conditions") or ()}
        if verdicts.get("Ready") == "True" and "Observed" not in verdicts:
            self._waits.pop(key, None)
            return _until(obj, report, _now())
        self._waits[key] = 1 if was_new else self._waits.get(key, 0) + 1
        return self._recheck.delay(self._waits[key])

    def _after(self, key: MemoryKey, problem: Problem | None, again: float | None) -> float | None:
        if problem is None:
            self._failures.pop(key, None)
            return again
        self._metrics.reconcile_errors.labels(problem.reason.value).inc()
        if not problem.retry:  # only a person can help, and that is an event; the resync looks all the same
            self._failures.pop(key, None)
            return None
        self._failures[key] = self._failures.get(key, 0) + 1
        self._metrics.retries.labels("reconcile").inc()
        return self._retry.delay(self._failures[key])


def _until(obj: Obj, report: Obj, now: datetime) -> float | None:
    """How long it is until something may have to be done without an event, None when nothing can.

    A window may open that pending changes of the stores wait for; Secrets of the user's may change, which nobody
    watches; a rotation waits for time to pass, and certificates are renewed in time.
    """
    spec = SomaMemory.parse(obj).spec
    window = spec.upgrade.window
    opens = window.seconds_until_open(now) if window is not None and report.get("pendingChanges") else None
    waits = [] if opens is None else [opens]
    told = report.get("secrets") or {}
    brings = spec.secrets.source != "generated" or told.get("external")
    brings = brings or spec.tls.source in ("certManager", "existing")
    if brings or told.get("rotating") or told.get("previousTokenUntil"):
        waits.append(_LOOK_AT_SECRETS)
    if renews := (report.get("tls") or {}).get("renewsAt"):
        left = (datetime.fromisoformat(renews) - now).total_seconds()
        waits.append(left + 1.0 if left > 0 else _LOOK_AT_SECRETS)  # what is overdue waits for somebody else
    return min(waits, default=None)


def _unexpected(error: Exception) -> Problem:
    text = f"{type(error).__name__} in the operator: see its log, and report it. The operator tries again."
    return Problem(Reason.INTERNAL_ERROR, text, retry=True)


def _too_long(seconds: float) -> Problem:
    text = f"The API server takes too long: not done within {seconds:g} s. The operator tries again."
    return Problem(Reason.CLUSTER_UNAVAILABLE, text, retry=True)


def _now() -> datetime:
    return datetime.now(UTC)
