"""An operator that was rolled back takes no older release to a migrated database, and keeps what runs whole."""

from pathlib import Path

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, uid_of
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually

NEWER = {"SOMAMEMORY_VERSION": "0.2.0", "SOMAMEMORY_IMAGE_API": "example.org/soma-memory-api:0.2.0"}
OLDER = {"SOMAMEMORY_VERSION": "0.1.0", "SOMAMEMORY_IMAGE_API": "example.org/soma-memory-api:0.1.0"}
CLIENTS = ("demo-api", "demo-consumer")


def test_a_rollback_of_the_operator_is_no_rollback_of_the_api(
    api_server: RestartableApiServer, api: Api, kubelet: Kubelet, namespace: str, tmp_path: Path
) -> None:
    """Deleting the Deployments by which the release is known does not open the way either."""
    with Operator(api_server, tmp_path, **NEWER) as newer:
        api.make_memory(namespace)
        api.wait_ready(namespace, seconds=90)  # another process may have held the Lease when it was killed
        newer.stop()
    before = _uids(api, namespace)

    with Operator(api_server, tmp_path, SOMAMEMORY_RESYNC_SECONDS="2", **OLDER):
        told = eventually("it is refused", lambda: _refused(api, namespace), 40)
        assert "bring the operator back to release 0.2.0" in told["message"]
        assert _uids(api, namespace) == before
        assert _images(api, namespace) == {"example.org/soma-memory-api:0.2.0"}

        for name in CLIENTS:
            api.delete("Deployment", name, namespace)
        eventually("they come back", lambda: len(_images_by_name(api, namespace)) == len(CLIENTS))
        assert _images(api, namespace) == {"example.org/soma-memory-api:0.2.0"}
        assert _refused(api, namespace)

        api.merge(names.KIND, "demo", namespace, {"spec": {"version": "0.2.0"}})
        api.wait_ready(namespace)


def _refused(api: Api, namespace: str) -> Obj | None:
    condition = api.condition(namespace, kind="Stalled")
    return condition if condition.get("reason") == "Downgrade" else None


def _uids(api: Api, namespace: str) -> set[str]:
    found = [obj for kind in ("StatefulSet", "Deployment", "Service") for obj in api.list(kind, namespace)]
    return {uid_of(obj) for obj in found}


def _images_by_name(api: Api, namespace: str) -> dict[str, str]:
    found = api.list("Deployment", namespace)
    return {obj["metadata"]["name"]: obj["spec"]["template"]["spec"]["containers"][0]["image"] for obj in found}


def _images(api: Api, namespace: str) -> set[str]:
    return set(_images_by_name(api, namespace).values())
