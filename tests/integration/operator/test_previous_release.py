"""An operator that comes upon what the release before this one has left: nothing restarts, nothing is lost."""

from pathlib import Path

import pytest
import yaml

from somamemory_operator.decide.sources import KAFKA_LOGIN
from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, uid_of
from tests.integration.operator.gitops import CLAIMS, CREDENTIALS, RETAINED, is_spared, retained, taken
from tests.integration.operator.volumes import CLAIM, claim, provide
from tests.integration.operator.world import ROOT, Api, Kubelet, Operator, RestartableApiServer, eventually

PREVIOUS = ROOT / "tests/unit/operator/manifests/previous"


@pytest.fixture
def before(api: Api, kubelet: Kubelet, frozen_namespace: str) -> str:
    """The namespace as the release before this one has left it: its own manifests, all Ready, no operator."""
    namespace = frozen_namespace
    document = yaml.safe_load((PREVIOUS / "production.in.yaml").read_text())
    spec = {**document["spec"], "deletionPolicy": "Retain"}
    owner = api.make_memory(namespace, spec=spec)
    for obj in yaml.safe_load_all((PREVIOUS / "production.out.yaml").read_text()):
        _as_before(api, obj, owner, namespace)
    backup = next(o for o in yaml.safe_load_all((PREVIOUS / "full.out.yaml").read_text()) if o["kind"] == CLAIM)
    _as_before(api, backup, owner, namespace)
    for name in CLAIMS:
        provide(api, namespace, name)
    eventually("the pods run", lambda: len(_running(api, namespace)) >= len(CLAIMS) + 4)
    return namespace


def test_objects_of_the_previous_release_are_seen_adopted_and_not_restarted(
    api_server: RestartableApiServer, api: Api, before: str, tmp_path: Path
) -> None:
    pods, secrets = _stores(api, before), _values(api, before)
    sets = {uid_of(obj) for obj in api.list("StatefulSet", before)}
    api.merge(names.KIND, "demo", before, {"spec": {"backup": {"volume": {"size": "40Gi"}}}})

    with Operator(api_server, tmp_path, SOMAMEMORY_RESYNC_SECONDS="5", SOMAMEMORY_WATCH_NAMESPACES=before):
        eventually("nothing is taken any more", lambda: taken(api, before) == set(), 40)
        eventually("all is spared", lambda: all(is_spared(obj) for obj in retained(api, before)), 40)
        api.wait_ready(before)

        assert {(obj["kind"], obj["metadata"]["name"]) for obj in retained(api, before)} == RETAINED
        after = _values(api, before)
        logins = {data.pop(KAFKA_LOGIN) for data in after.values()}
        assert after == secrets
        assert len(logins) == 1, "what is new is the same in both"
        assert {uid_of(obj) for obj in api.list("StatefulSet", before)} == sets
        assert pods.items() <= _running(api, before).items()
        assert claim(api, before)["metadata"]["labels"]["somatechlat.github.io/somamemory"] == "demo"


def _as_before(api: Api, obj: Obj, owner: Obj, namespace: str) -> None:
    """Write an object as that release did: Secrets were created first, everything was applied, claims had no owner."""
    reference = {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": "demo",
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    owners = {} if obj["kind"] == CLAIM else {"ownerReferences": [reference]}
    obj = obj | {"metadata": {**obj["metadata"], "namespace": namespace, **owners}}
    if obj["kind"] == "Secret":
        api.create(obj)
    api.apply(obj)


def _stores(api: Api, namespace: str) -> dict[str, str]:
    """The pods that must not restart: API and consumer follow the release of the operator."""
    return {name: uid for name, uid in _running(api, namespace).items() if name.endswith("-0")}


def _running(api: Api, namespace: str) -> dict[str, str]:
    pods = api.list("Pod", namespace)
    return {pod["metadata"]["name"]: uid_of(pod) for pod in pods if pod["status"].get("phase") == "Running"}


def _values(api: Api, namespace: str) -> dict[str, Obj]:
    return {name: (api.get("Secret", name, namespace) or {})["data"] for name in CREDENTIALS}
