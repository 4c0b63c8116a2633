"""The operator is upgraded: what runs goes on running, and stores change when somebody agrees, one after another."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from somamemory_operator.model import names
from somamemory_operator.model.names import STORES
from somamemory_operator.model.observed import Obj
from somamemory_operator.model.rollout import is_rolled_out
from tests.integration.operator.world import ROOT, Api, Kubelet, Operator, RestartableApiServer, eventually

PREVIOUS = ROOT / "tests/unit/operator/manifests/previous"
RELEASE = {"SOMAMEMORY_VERSION": "0.1.0", "SOMAMEMORY_IMAGE_API": "docker.io/somatechlat/soma-memory-api:0.1.0"}
"""API and consumer follow the operator's release, so for them it must be the same."""
NEWER = {
    "SOMAMEMORY_IMAGE_REDIS": "docker.io/library/redis:8.2",
    "SOMAMEMORY_IMAGE_QDRANT": "docker.io/qdrant/qdrant:v1.17.1-unprivileged",
    "SOMAMEMORY_IMAGE_KAFKA": "docker.io/apache/kafka:4.2.0",
    "SOMAMEMORY_IMAGE_POSTGRES": "docker.io/library/postgres:16.11",
}
VOLUMES: Obj = {store.value: {"persistence": {"enabled": True}} for store in STORES}
WORKLOADS = ("StatefulSet", "Deployment")


@pytest.mark.parametrize("case", ["empty", "production"])
def test_the_pods_of_the_release_before_do_not_restart(
    api: Api, api_server: RestartableApiServer, kubelet: Kubelet, frozen_namespace: str, tmp_path: Path, case: str
) -> None:
    space = frozen_namespace
    make_as_the_release_before(api, space, case)
    eventually("everything of the release before runs", lambda: all_rolled_out(api, space), 60)
    before, written, pods = stores(api, space), generations(api, space), pods_of(api, space)

    with Operator(api_server, tmp_path, SOMAMEMORY_RESYNC_SECONDS="2", **RELEASE) as operator:
        api.wait_ready(space)
        looks = operator.count("somamemory_operator_reconcile_seconds_count")
        eventually(
            "it has looked again",
            lambda: operator.count("somamemory_operator_reconcile_seconds_count") > looks + 2,
        )

        assert stores(api, space) == before
        assert generations(api, space) == {name: number + 1 for name, number in written.items()}, "the strategy, once"
        assert pods_of(api, space) == pods
        assert api.condition(space, kind="UpToDate")["status"] == "True"


def test_other_default_images_wait_and_are_taken_one_after_another_when_agreed(
    api: Api, api_server: RestartableApiServer, kubelet: Kubelet, namespace: str, tmp_path: Path
) -> None:
    with Operator(api_server, tmp_path, **RELEASE):
        api.make_memory(namespace, spec=VOLUMES)
        api.wait_ready(namespace)
    before = workloads(api, namespace)

    with Operator(api_server, tmp_path, SOMAMEMORY_RESYNC_SECONDS="2", **RELEASE, **NEWER):
        eventually("it says that changes wait", lambda: len(pending(api, namespace)) == len(STORES))
        assert workloads(api, namespace) == before
        assert api.condition(namespace)["status"] == "True"
        told = {event["reason"] for event in api.list("Event", namespace) if "UpToDate" in event["note"]}
        assert told == {"ChangesPending"}

        [release] = {change["release"] for change in pending(api, namespace)}
        api.merge(names.KIND, "demo", namespace, {"spec": {"upgrade": {"agreedTo": release}}})
        order = order_of_change(api, namespace)

    assert order == ["redis", "qdrant", "kafka", "postgres"]
    assert pending(api, namespace) == []
    secret: Any = api.get("Secret", "demo-credentials", namespace)
    assert secret["metadata"]["annotations"][names.FINALIZED_ANNOTATION] == NEWER["SOMAMEMORY_IMAGE_KAFKA"]
    assert not [job for job in api.list("Job", namespace) if "features" in job["metadata"]["name"]]


def test_a_maintenance_window_is_noticed_when_it_opens(
    api: Api, api_server: RestartableApiServer, kubelet: Kubelet, namespace: str, tmp_path: Path
) -> None:
    """Nothing else happens then: no event, and no resync for hours."""
    only_redis = {"SOMAMEMORY_IMAGE_REDIS": NEWER["SOMAMEMORY_IMAGE_REDIS"]}
    with Operator(api_server, tmp_path, **RELEASE):
        api.make_memory(namespace)
        api.wait_ready(namespace)

    with Operator(api_server, tmp_path, SOMAMEMORY_RESYNC_SECONDS="9000", **RELEASE, **only_redis):
        eventually("it says that a change waits", lambda: len(pending(api, namespace)) == 1)
        start = datetime.now(UTC) + timedelta(seconds=100)  # at its minute, so in 40 s at the earliest
        window = {"start": f"{start:%H:%M}", "hours": 1}
        api.merge(names.KIND, "demo", namespace, {"spec": {"upgrade": {"stores": "Window", "window": window}}})
        eventually("it says when", lambda: "spec.upgrade.window" in pending(api, namespace)[0]["message"])
        assert images(api, namespace)["redis"] != NEWER["SOMAMEMORY_IMAGE_REDIS"]

        eventually(
            "the store has changed",
            lambda: images(api, namespace)["redis"] == NEWER["SOMAMEMORY_IMAGE_REDIS"],
            130,
        )
        assert datetime.now(UTC) >= start.replace(second=0, microsecond=0)


def order_of_change(api: Api, namespace: str) -> list[str]:
    """Watch until all stores run their new images; returns their order, and fails when two change at a time."""
    old, order = images(api, namespace), list[str]()

    def done() -> bool:
        moving = [s["metadata"]["name"] for s in api.list("StatefulSet", namespace) if not is_rolled_out(s)]
        assert len(moving) <= 1, f"at the same time: {moving}"
        order.extend(s for s, image in images(api, namespace).items() if image != old[s] and s not in order)
        up_to_date = api.condition(namespace, kind="UpToDate").get("status") == "True"
        return up_to_date and api.condition(namespace).get("status") == "True"

    eventually("all stores have changed", done, 90)
    return order


def make_as_the_release_before(api: Api, namespace: str, case: str) -> None:
    """A SomaMemory and its objects as the operator before this one left them, with its name on the fields."""
    given = yaml.safe_load((PREVIOUS / f"{case}.in.yaml").read_text())
    uid = api.make_memory(namespace, "demo", given.get("spec"))["metadata"]["uid"]
    jobs = []
    for obj in yaml.safe_load_all((PREVIOUS / f"{case}.out.yaml").read_text()):
        for owner in obj["metadata"].get("ownerReferences") or ():
            owner["uid"] = uid
        jobs.append(obj) if obj["kind"] == "Job" else api.apply(obj, names.FIELD_MANAGER)
    for job in jobs:
        job["metadata"]["annotations"] = {
            names.DATABASE_ANNOTATION: database(api, namespace, has_volume=case == "production")
        }
        api.apply(job, names.FIELD_MANAGER)


def database(api: Api, namespace: str, *, has_volume: bool) -> str:
    """The identity of the database that a migration is for."""
    kind, name = ("PersistentVolumeClaim", "data-demo-postgres-0") if has_volume else ("Pod", "demo-postgres-0")
    found: Obj = eventually(f"there is {kind} {name}", lambda: api.get(kind, name, namespace))
    return str(found["metadata"]["uid"])


def all_rolled_out(api: Api, namespace: str) -> bool:
    found = [obj for kind in WORKLOADS for obj in api.list(kind, namespace)]
    jobs = api.list("Job", namespace)
    return all(is_rolled_out(obj) for obj in found) and all(job["status"].get("succeeded") for job in jobs)


def workloads(api: Api, namespace: str) -> dict[str, Any]:
    """What would be another one if it had been made anew, or its pods were."""
    found = [obj for kind in WORKLOADS for obj in api.list(kind, namespace)]
    kept = ("uid", "generation")
    return {
        obj["metadata"]["name"]: ({key: obj["metadata"][key] for key in kept}, obj["spec"]["template"]) for obj in found
    }


def stores(api: Api, namespace: str) -> dict[str, Any]:
    """What must not change of the stores: API and consumer follow the release of the operator.

    That is all but the update strategy, which says its partition now; which revision their pods are of says the rest.
    """
    return {
        obj["metadata"]["name"]: (
            obj["metadata"]["uid"],
            {key: value for key, value in obj["spec"].items() if key != "updateStrategy"},
            obj["status"]["updateRevision"],
        )
        for obj in api.list("StatefulSet", namespace)
    }


def generations(api: Api, namespace: str) -> dict[str, int]:
    """How often the specs of the stores were changed."""
    return {obj["metadata"]["name"]: obj["metadata"]["generation"] for obj in api.list("StatefulSet", namespace)}


def pods_of(api: Api, namespace: str) -> set[str]:
    """Those of the stores."""
    mine = {store.value for store in STORES}
    pods = (pod for pod in api.list("Pod", namespace) if pod["metadata"]["labels"].get(names.COMPONENT_LABEL) in mine)
    return {pod["metadata"]["uid"] for pod in pods}


def images(api: Api, namespace: str) -> dict[str, str]:
    sets = api.list("StatefulSet", namespace)
    return {
        s["metadata"]["name"].removeprefix("demo-"): s["spec"]["template"]["spec"]["containers"][0]["image"]
        for s in sets
    }


def pending(api: Api, namespace: str) -> list[Obj]:
    memory = api.get(names.KIND, "demo", namespace) or {}
    found: list[Obj] = (memory.get("status") or {}).get("pendingChanges") or []
    return found
