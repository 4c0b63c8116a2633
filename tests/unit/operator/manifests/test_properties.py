"""What holds for every SomaMemory, tried on random ones."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from somamemory_operator.decide.credentials import credentials
from somamemory_operator.manifests import build
from somamemory_operator.model import names
from somamemory_operator.model.names import COMPONENT_LABEL, Component
from somamemory_operator.model.observed import OBSERVED_KINDS, Obj, World
from somamemory_operator.resource.somamemory import SomaMemory
from tests.unit.operator.fakes import SETTINGS, UID, FakeCluster, made, memory

SIZES = st.sampled_from(["1Gi", "500Mi", "2T"])


def maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Obj]:
    return st.fixed_dictionaries({}, optional=fields)


WORKLOAD = {
    "podLabels": st.dictionaries(st.sampled_from(["a", "team", COMPONENT_LABEL]), st.sampled_from(["x", "y"])),
    "nodeSelector": st.dictionaries(st.just("disk"), st.just("fast")),
    "resources": maybe(limits=st.just({"memory": "1Gi"})),
}
PERSISTENCE = maybe(enabled=st.booleans(), size=SIZES, storageClassName=st.just("standard"))
STORE = maybe(persistence=PERSISTENCE, image=maybe(tag=st.just("x"), repository=st.just("e.org/y")), **WORKLOAD)
AUTOSCALING = maybe(enabled=st.booleans(), minReplicas=st.integers(1, 2), maxReplicas=st.integers(2, 3))
INGRESS = st.fixed_dictionaries({"host": st.just("m.example.org")}, optional={"enabled": st.booleans()})
SPECS = maybe(
    profile=st.sampled_from(["development", "production"]),
    version=st.sampled_from(["1.2.3", "main"]),
    hibernated=st.booleans(),
    deletionPolicy=st.sampled_from(["Retain", "Delete"]),
    imageRegistry=st.just("mirror.example.org"),
    api=maybe(
        replicas=st.integers(0, 3),
        autoscaling=AUTOSCALING,
        ingress=INGRESS,
        service=maybe(type=st.sampled_from(["ClusterIP", "NodePort"])),
        **WORKLOAD,
    ),
    consumer=maybe(enabled=st.booleans(), autoscaling=AUTOSCALING, **WORKLOAD),
    postgres=STORE,
    redis=STORE,
    qdrant=STORE,
    kafka=STORE,
    networkPolicy=maybe(enabled=st.booleans()),
    podDisruptionBudget=maybe(enabled=st.booleans()),
    backup=maybe(
        enabled=st.booleans(),
        keep=st.integers(1, 9),
        volume=st.sampled_from([{}, {"size": "2Gi"}, {"existingClaim": "mine"}]),
        **WORKLOAD,
    ),
    restore=st.fixed_dictionaries({"from": st.sampled_from(["a.dump", "b.dump"])}, optional={"run": st.just(2)}),
    monitoring=maybe(
        labels=st.dictionaries(st.sampled_from(["release", COMPONENT_LABEL]), st.just("x")),
        serviceMonitor=maybe(enabled=st.booleans()),
        prometheusRule=maybe(enabled=st.booleans()),
    ),
)
NAMES = st.from_regex(rf"[a-z]([-a-z0-9]{{0,{names.LONGEST_NAME - 2}}}[a-z0-9])?", fullmatch=True)


few = settings(max_examples=25, deadline=None)


def objects(memory: SomaMemory) -> list[Obj]:
    world = World()
    return [w.obj for w in build(memory, SETTINGS, world, credentials(world, memory, made))]


@few
@given(spec=SPECS, name=NAMES)
def test_names_are_unique_and_short_and_everything_is_owned_and_labelled(spec: Obj, name: str) -> None:
    found = objects(memory(spec, name=name))

    assert len({(obj["kind"], obj["metadata"]["name"]) for obj in found}) == len(found)
    for obj in found:
        metadata = obj["metadata"]
        assert len(metadata["name"]) <= 63
        assert metadata["namespace"] == "space"
        component = Component(metadata["labels"][COMPONENT_LABEL])
        lasts = obj["kind"] == "PersistentVolumeClaim" or component is Component.CREDENTIALS
        labels = names.lasting_labels(name, component) if lasts else names.labels(name, component)
        assert metadata["labels"].items() >= labels.items()
        assert (names.INSTANCE_LABEL in metadata["labels"]) is not lasts
        owners = [] if obj["kind"] == "PersistentVolumeClaim" else [UID]  # backups outlive everything
        assert [owner["uid"] for owner in metadata.get("ownerReferences", ())] == owners
        assert obj["kind"] in OBSERVED_KINDS


@few
@given(spec=SPECS, name=NAMES)
def test_labels_that_controllers_make_of_names_fit(spec: Obj, name: str) -> None:
    for obj in objects(memory(spec, name=name)):
        if obj["kind"] == "StatefulSet":
            assert len(f"{obj['metadata']['name']}-{'x' * names.HASH_LENGTH}") <= 63


@few
@given(one=SPECS, other=SPECS)
def test_selectors_never_change_and_always_find_their_pods(one: Obj, other: Obj) -> None:
    first, second = selectors(one), selectors(other)

    assert {key: second[key] for key in first.keys() & second.keys()} == {
        key: first[key] for key in first.keys() & second.keys()
    }


def selectors(spec: Obj) -> dict[str, Obj]:
    found = {}
    for obj in objects(memory(spec)):
        if obj["kind"] in ("StatefulSet", "Deployment"):
            selector = obj["spec"]["selector"]["matchLabels"]
            assert obj["spec"]["template"]["metadata"]["labels"].items() >= selector.items()
            found[obj["metadata"]["name"]] = selector
    return found


@few
@given(spec=SPECS)
def test_pods_meet_pod_security_restricted(spec: Obj) -> None:
    for obj in objects(memory(spec)):
        if obj["kind"] in ("StatefulSet", "Deployment", "Job", "CronJob"):
            pod = template(obj)["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert pod["automountServiceAccountToken"] is False
            [container] = pod["containers"]
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes(obj)


def template(obj: Obj) -> Obj:
    """The pod template of a workload."""
    spec = obj["spec"]["jobTemplate"]["spec"] if obj["kind"] == "CronJob" else obj["spec"]
    found: Obj = spec["template"]
    return found


def volumes(obj: Obj) -> set[str]:
    """What can be mounted, from the pod and from the claims: nothing more is declared than is mounted."""
    templates = obj["spec"].get("volumeClaimTemplates", ())
    return {v["name"] for v in template(obj)["spec"]["volumes"]} | {t["metadata"]["name"] for t in templates}


@few
@given(spec=SPECS)
def test_no_credential_is_outside_of_secrets(spec: Obj) -> None:
    for obj in objects(memory(spec)):
        assert obj["kind"] == "Secret" or "made-up-" not in str(obj)


@few
@given(one=SPECS, other=SPECS)
def test_every_spec_settles_after_every_other_and_then_nothing_is_written(one: Obj, other: Obj) -> None:
    cluster = FakeCluster()
    cluster.settle(memory(one))
    cluster.settle(memory(other))
    cluster.writes.clear()

    assert cluster.step(memory(other)).is_settled
    assert cluster.writes == []
