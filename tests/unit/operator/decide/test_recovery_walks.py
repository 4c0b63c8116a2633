"""Whatever happens in whatever order, API and consumer never meet a database that is half restored."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Key, Obj, component_of, uid_of
from tests.unit.operator.fakes import FakeCluster, memory, pod_of

STEPS = (Component.RESTORE, Component.MIGRATION, Component.REINDEX)
PLAIN: Obj = {"postgres": {"persistence": {"enabled": True}}, "backup": {}}
SPECS: dict[str, Obj] = {
    "nothing": {},
    "dump a": {"restore": {"from": "a.dump", "replaceExisting": True}},
    "dump b": {"restore": {"from": "b.dump", "replaceExisting": True}},
    "dump a again": {"restore": {"from": "a.dump", "replaceExisting": True, "run": 2}},
}
DEPLOYMENTS = (Key("Deployment", "demo-api"), Key("Deployment", "demo-consumer"))

spec_changes = st.tuples(st.sampled_from(sorted(SPECS)), st.booleans())
passes = st.integers(min_value=0, max_value=4).map(lambda writes: writes or None)
walk = st.lists(
    st.one_of(
        spec_changes.map(lambda change: ("spec", change)),
        passes.map(lambda writes: ("pass", writes)),
        passes.map(lambda writes: ("pass", writes)),
        st.sampled_from(("controllers", "start", "work", "work", "fail", "refuse", "vanish")).map(lambda a: (a, None)),
        st.sampled_from(DEPLOYMENTS).map(lambda key: ("delete", key)),
    ),
    max_size=40,
)


@dataclass
class Database:
    """What the Jobs do to it: a dump is neither of this release nor in the index."""

    mark: str = ""
    is_migrated: bool = True
    is_indexed: bool = True


@dataclass
class Pod:
    """A pod of a Job, which may work on although the Job is gone."""

    key: Key
    job: Obj
    component: str
    target: str
    saw: str


@dataclass
class Walk:
    """The cluster, with Jobs whose pods take their time, and the database that they work on."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    database: Database = field(default_factory=Database)
    pods: list[Pod] = field(default_factory=list)
    spec: Obj = field(default_factory=dict)
    is_asleep: bool = False

    @property
    def about(self) -> Obj:
        return {**PLAIN, **self.spec, "hibernated": self.is_asleep}

    def go(self, action: str, how: object) -> None:
        """Do one thing."""
        match action, how:
            case "spec", (str(name), bool(asleep)):
                self.spec, self.is_asleep = SPECS[name], asleep
            case "pass", (int() | None) as writes:
                self.cluster.step(memory(self.about), writes=writes)
            case "delete", Key() as key if key in self.cluster.objects:
                self.cluster.delete(key)
            case "controllers", _:
                self.run_controllers()
            case "start", _:
                self.start()
            case (("work" | "fail" | "refuse" | "vanish"), _) if self.pods:
                self.end(self.pods.pop(0), action)

    def run_controllers(self) -> None:
        """All but that of Jobs."""
        waiting = {key: obj for key, obj in self.cluster.objects.items() if key.kind == "Job" and not obj["status"]}
        for job in waiting.values():
            job["status"] = {"active": 1}
        self.cluster.run_controllers()

    def start(self) -> None:
        """Every Job that does not have one gets a pod."""
        have = {uid_of(pod.job) for pod in self.pods}
        for key, job in list(self.cluster.objects.items()):
            ended = (job.get("status") or {}).get("conditions")
            if key.kind != "Job" or component_of(job) not in STEPS or uid_of(job) in have or ended:
                continue
            component, name = str(component_of(job)), f"{key.name}-{uid_of(job)}"
            target = job["metadata"].get("annotations", {}).get(names.DATABASE_ANNOTATION, "")
            pod = Pod(Key("Pod", name), job, component, target, self.database.mark)
            self.cluster.objects[pod.key] = pod_of(name, component, {"phase": "Running"})
            self.pods.append(pod)

    def end(self, pod: Pod, how: str) -> None:
        """The pod ends: its work done, or done but not known, or given up, or refused."""
        answers = Key("Pod", "demo-postgres-0") in self.cluster.objects
        if how == "work" and answers:
            self.do(pod)
        self.cluster.objects.pop(pod.key, None)
        live = self.cluster.objects.get(Key("Job", pod.job["metadata"]["name"]))
        if live is None or uid_of(live) != uid_of(pod.job) or how == "vanish" or (how == "work" and not answers):
            return
        reason = "PodFailurePolicy" if how == "refuse" and pod.component == "restore" else "BackoffLimitExceeded"
        kind = "Complete" if how == "work" else "Failed"
        live["status"] = {"conditions": [{"type": kind, "status": "True", "reason": reason}]}

    def do(self, pod: Pod) -> None:
        """What the programs do (restore.sh, soma migrate, soma reconcile --rewrite)."""
        mark = pod.target.partition(" ")[2]
        if pod.component == Component.MIGRATION:
            self.database.is_migrated = True
        elif pod.component == Component.REINDEX:
            self.database.is_indexed = True
        elif self.database.mark not in (mark, *([] if self.database.mark == pod.saw else [self.database.mark])):
            self.database = Database(mark, is_migrated=False, is_indexed=False)

    def check(self) -> None:
        """Clients only on a whole database."""
        for key in DEPLOYMENTS:
            live = self.cluster.objects.get(key)
            if live is not None and live["spec"]["replicas"]:
                assert self.database.is_migrated, "clients on a database of another release"
                assert self.database.is_indexed, "clients on an index of other memories"

    def settle(self) -> None:
        """Nobody interferes any more."""
        for _ in range(40):
            self.go("start", None)
            while self.pods:
                self.go("work", None)
            settled = self.cluster.step(memory(self.about)).is_settled
            self.check()
            self.run_controllers()
            if settled:
                return
        raise AssertionError(f"does not settle: {self.cluster.look(memory(self.about))[1]}")


@settings(max_examples=15, deadline=None)
@given(walk)
def test_clients_never_meet_a_database_that_is_half_restored(actions: list[tuple[str, object]]) -> None:
    """Hibernated, taken away, replaced, killed, deleted, in any order.

    In the end the database holds the dump that the spec names.
    """
    there = Walk()
    there.cluster.settle(memory(PLAIN))
    for action in actions:
        there.go(*action)
        there.check()
    for key in [key for key, obj in there.cluster.objects.items() if key.kind == "Job" and _has_failed(obj)]:
        there.cluster.delete(key)

    there.is_asleep = False
    there.settle()

    wanted = memory(there.about).spec.restore
    assert wanted is None or there.database.mark == wanted.mark
    assert there.cluster.objects[DEPLOYMENTS[0]]["spec"]["replicas"] == 1


def _has_failed(job: Obj) -> bool:
    return any(each["type"] == "Failed" for each in (job["status"] or {}).get("conditions") or ())
