"""Volume claims on a real API server: whose they are is told by their names, how large they are by themselves."""

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, uid_of
from tests.integration.operator.volumes import (
    CLAIM,
    EVERY_STORE,
    POSTGRES,
    claim,
    persistent,
    provide,
    request,
    requested,
    restore_claim,
    storage_class,
)
from tests.integration.operator.world import Api, Kubelet, Operator, eventually, versions

OWN_LABEL = "somatechlat.github.io/somamemory"


def test_a_claim_restored_without_our_labels_is_adopted(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """As the docs suggest for VolumeSnapshots: the claim has the right name and nothing else of ours."""
    api.make_memory(namespace, spec=EVERY_STORE)
    api.wait_ready(namespace)
    _delete_memory(api, namespace)
    restored = restore_claim(api, namespace)

    api.make_memory(namespace, spec=EVERY_STORE)

    api.wait_ready(namespace)
    adopted = eventually("it is adopted", lambda: _labelled(api, namespace, POSTGRES))
    assert uid_of(adopted) == uid_of(restored)
    assert adopted["spec"] == claim(api, namespace)["spec"]
    owners = (api.get("Secret", "demo-credentials", namespace) or {})["metadata"]["ownerReferences"]
    assert uid_of(adopted) in {owner["uid"] for owner in owners}


def test_a_restored_claim_without_its_password_is_told_and_no_password_is_made(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    restore_claim(api, namespace)

    api.make_memory(namespace, spec=persistent())

    stalled = eventually("it is told", lambda: _because(api, namespace, "CredentialsLost"))
    assert POSTGRES in stalled["message"]
    assert api.get("Secret", "demo-credentials", namespace) is None


def test_credentials_restored_without_our_labels_open_the_restored_volume(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """The remedy of `CredentialsLost`; a backup may hold the values and nothing else."""
    restore_claim(api, namespace)
    api.make_memory(namespace, spec=persistent())
    eventually("they are missed", lambda: _because(api, namespace, "CredentialsLost"))
    password = {"POSTGRES_PASSWORD": "cmVzdG9yZWQ="}

    api.create({"kind": "Secret", "metadata": {"name": "demo-credentials", "namespace": namespace}, "data": password})

    api.wait_ready(namespace, seconds=90)
    for name in ("demo-credentials", "demo-credentials-copy"):
        secret = api.get("Secret", name, namespace)
        assert secret is not None
        assert secret["data"]["POSTGRES_PASSWORD"] == password["POSTGRES_PASSWORD"]
        assert secret["metadata"]["labels"][OWN_LABEL] == "demo"


def test_credentials_that_lost_a_label_are_not_lost(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Beside a volume they must not be made anew, and are given the label back."""
    api.make_memory(namespace, spec=persistent())
    api.wait_ready(namespace)
    both = (names.credentials("demo"), names.credentials_copy("demo"))
    before = [(api.get("Secret", name, namespace) or {})["data"] for name in both]

    for name in both:
        api.merge("Secret", name, namespace, {"metadata": {"labels": {names.MANAGED_BY_LABEL: None}}})

    for name in both:
        eventually(f"{name} has its label", lambda n=name: _is_managed(api, namespace, n))  # type: ignore[misc]
    assert [(api.get("Secret", name, namespace) or {})["data"] for name in both] == before


def test_a_secret_of_somebody_else_under_our_name_is_not_taken(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    metadata = {"name": "demo-credentials", "namespace": namespace}
    theirs = api.create({"kind": "Secret", "metadata": metadata, "data": {"theirs": "c3RheXM="}})

    api.make_memory(namespace)

    told = eventually("it is told", lambda: _because(api, namespace, "Conflict"))
    assert "demo-credentials" in told["message"]
    assert api.get("Secret", "demo-credentials", namespace) == theirs


def test_a_claim_of_another_somamemory_under_our_name_is_left_alone(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Copied from the claim of another one, labels included: whose data it holds is for a person to say."""
    labels = names.labels("other", names.Component.POSTGRES)
    foreign = restore_claim(api, namespace, labels=labels)

    api.make_memory(namespace, spec=persistent())

    told = eventually("it is told", lambda: _because(api, namespace, "Conflict", "PostgresReady"))
    assert POSTGRES in told["message"]
    assert claim(api, namespace)["metadata"]["labels"] == foreign["metadata"]["labels"]
    assert api.get("StatefulSet", "demo-postgres", namespace) is None
    eventually("the others run", lambda: api.get("StatefulSet", "demo-redis", namespace))

    api.merge(CLAIM, POSTGRES, namespace, {"metadata": {"labels": dict.fromkeys(labels)}})
    api.wait_ready(namespace)


def test_the_default_class_may_be_named_afterwards(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    with storage_class(api, "usual", default=True):
        api.make_memory(namespace, spec=persistent("redis"))
        api.wait_ready(namespace)

        _change_redis(api, namespace, persistence={"storageClassName": "usual"})

        _assert_changed(api, namespace)


def test_the_class_may_be_dropped(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    with storage_class(api, "named"):
        api.make_memory(namespace, spec=persistent("redis", storageClassName="named"))
        api.wait_ready(namespace)

        _change_redis(api, namespace, persistence={"storageClassName": None})

        _assert_changed(api, namespace)


def test_changed_access_modes_hold_nothing_up(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    api.make_memory(namespace, spec=persistent("redis"))
    api.wait_ready(namespace)

    _change_redis(api, namespace, persistence={"accessModes": ["ReadWriteOncePod"]})

    _assert_changed(api, namespace)


def test_a_claim_that_somebody_enlarged_is_no_shrink(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    with storage_class(api, "roomy"):
        api.make_memory(namespace, spec=persistent("redis", storageClassName="roomy"))
        api.wait_ready(namespace)
        provide(api, namespace, "data-demo-redis-0")
        request(api, namespace, "9Gi", "data-demo-redis-0")
        provide(api, namespace, "data-demo-redis-0")

        _change_redis(api, namespace)

        _assert_changed(api, namespace)
        assert requested(api, namespace, "data-demo-redis-0") == "9Gi"
        eventually("the real size is told", lambda: _capacity(api, namespace, "redis") == "9Gi")


def test_a_volume_grows_without_a_new_stateful_set(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    with storage_class(api, "roomy"):
        api.make_memory(namespace, spec=persistent(storageClassName="roomy"))
        api.wait_ready(namespace)
        provide(api, namespace)
        before = [api.get(kind, name, namespace) for kind, name in RUNNING]

        _size(api, namespace, "8Gi")

        eventually("the claim asks for more", lambda: requested(api, namespace) == "8Gi")
        provide(api, namespace)
        api.wait_ready(namespace)
        after = [api.get(kind, name, namespace) for kind, name in RUNNING]
        assert [uid_of(obj) for obj in after if obj] == [uid_of(obj) for obj in before if obj]


RUNNING = (("StatefulSet", "demo-postgres"), ("Pod", "demo-postgres-0"))


def test_a_growth_that_failed_may_be_lowered_to_what_the_volume_can_have(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Legal since Kubernetes 1.34, as long as it stays above `status.capacity`."""
    with storage_class(api, "roomy"):
        api.make_memory(namespace, spec=persistent(storageClassName="roomy"))
        api.wait_ready(namespace)
        provide(api, namespace)
        _size(api, namespace, "500Gi")
        eventually("too much is asked for", lambda: requested(api, namespace) == "500Gi")

        _size(api, namespace, "10Gi")

        eventually("less is asked for", lambda: requested(api, namespace) == "10Gi")
        provide(api, namespace)
        api.wait_ready(namespace)
        _size(api, namespace, "6Gi")
        refused = eventually("a real shrink is told", lambda: _because(api, namespace, "VolumeShrink"))
        assert "10Gi or more" in refused["message"]


def test_a_growth_that_is_refused_costs_that_claim_only(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """A volume without a class cannot grow, says the API server; what else the spec asks for is done."""
    api.make_memory(namespace, spec=persistent())
    api.wait_ready(namespace)
    provide(api, namespace)

    _size(api, namespace, "8Gi")
    told = eventually("it is told", lambda: _because(api, namespace, "VolumeGrowthRefused"))
    _change_redis(api, namespace)

    _assert_changed(api, namespace, ready=False)
    assert "Not enlarged from 5Gi to 8Gi" in told["message"]
    assert POSTGRES in told["message"]
    assert "storageclass" in told["message"]
    _size(api, namespace, "5Gi")
    api.wait_ready(namespace)


def test_a_class_that_cannot_expand_costs_that_claim_only(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    with storage_class(api, "rigid", expandable=False):
        api.make_memory(namespace, spec=persistent(storageClassName="rigid"))
        api.wait_ready(namespace)
        provide(api, namespace)

        _size(api, namespace, "8Gi")
        eventually("it is told", lambda: _because(api, namespace, "ExpansionNotSupported", "PostgresReady"))
        _change_redis(api, namespace)

        _assert_changed(api, namespace, ready=False)
        assert requested(api, namespace) == "5Gi"
        _size(api, namespace, "5Gi")
        api.wait_ready(namespace)


def _is_managed(api: Api, namespace: str, name: str) -> bool:
    secret = api.get("Secret", name, namespace)
    return secret is not None and secret["metadata"]["labels"].get(names.MANAGED_BY_LABEL) == names.FIELD_MANAGER


def _size(api: Api, namespace: str, size: str) -> None:
    api.merge(names.KIND, "demo", namespace, {"spec": {"postgres": {"persistence": {"size": size}}}})


def _change_redis(api: Api, namespace: str, **fields: object) -> None:
    """Change something of the pods along with other fields of Redis."""
    changed = {"podAnnotations": {"example.org/changed": "yes"}, **fields}
    api.merge(names.KIND, "demo", namespace, {"spec": {"redis": changed}})


def _assert_changed(api: Api, namespace: str, *, ready: bool = True) -> None:
    """The change of the pods came through, and the operator is at rest with it."""

    def changed() -> bool:
        live = api.get("StatefulSet", "demo-redis", namespace) or {}
        return "example.org/changed" in live["spec"]["template"]["metadata"]["annotations"]

    eventually("the pods are changed", changed, 60)
    if ready:
        api.wait_ready(namespace)
        before = versions(api, namespace)
        eventually("it looks again", lambda: versions(api, namespace) == before)


def _because(api: Api, namespace: str, reason: str, kind: str = "Ready") -> Obj | None:
    found = api.condition(namespace, kind=kind)
    return found if found.get("reason") == reason else None


def _labelled(api: Api, namespace: str, name: str) -> Obj | None:
    found = claim(api, namespace, name)
    return found if (found["metadata"].get("labels") or {}).get(OWN_LABEL) == "demo" else None


def _capacity(api: Api, namespace: str, component: str) -> str | None:
    status = (api.get(names.KIND, "demo", namespace) or {}).get("status") or {}
    found = [each for each in status["components"] if each["name"] == component]
    return found[0].get("capacity") if found else None


def _delete_memory(api: Api, namespace: str) -> None:
    api.delete(names.KIND, "demo", namespace)
    eventually("its children are gone", lambda: not api.list("StatefulSet", namespace) + api.list("Pod", namespace), 30)
