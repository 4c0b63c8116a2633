"""Certificates from every source, on a real API server; the pods are played."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from somamemory_operator.decide.sources import decoded
from somamemory_operator.decide.tls.mint import X509Mint
from somamemory_operator.decide.tls.pairs import pair_in
from somamemory_operator.model import names
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj
from somamemory_operator.model.x509 import Facts, Pair, certificates_in, facts
from tests.integration.operator.test_secrets import put, rollouts
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually

PARTS = (*STORES, Component.API)
OWN: Obj = {"tls": {"source": "operator"}}
EXISTING: Obj = {"tls": {"source": "existing", "existing": {"name": "mine"}}}
ISSUED: Obj = {"tls": {"source": "certManager", "certManager": {"issuerRef": {"name": "ours"}}}}
MINT = X509Mint()


def shown(api: Api, namespace: str, part: Component = Component.POSTGRES) -> Facts:
    found = pair_in(api.get("Secret", f"demo-{part}-certificate", namespace))
    assert found is not None
    return facts(found)


def bundle(api: Api, namespace: str) -> str:
    found = api.get("ConfigMap", "demo-ca", namespace)
    return str(found["data"]["ca.crt"]) if found else ""


def every_certificate_is_trusted(api: Api, namespace: str) -> None:
    """Leaves first: what is shown must have been in the bundle before."""
    leaves = [shown(api, namespace, part) for part in PARTS]
    trusted = certificates_in(bundle(api, namespace))
    assert all(leaf.leads_to(trusted) for leaf in leaves)


def told(api: Api, namespace: str, status: str, reason: str, seconds: float = 60) -> None:
    def tls_ready() -> bool:
        found = api.condition(namespace, kind="TlsReady")
        return (found.get("status"), found.get("reason")) == (status, reason)

    eventually(f"TlsReady is {status}, {reason}", tls_ready, seconds)


def uids(api: Api, namespace: str) -> dict[str, str]:
    """The pods of the stores."""
    pods = {store: api.get("Pod", f"demo-{store}-0", namespace) for store in STORES}
    return {store: pod["metadata"]["uid"] for store, pod in pods.items() if pod is not None}


def delete(api: Api, namespace: str, kind: str, name: str) -> Callable[[], bool]:
    """Delete an object; answers whether there is another one."""
    before = api.get(kind, name, namespace)
    assert before is not None
    api.delete(kind, name, namespace)

    def is_back() -> bool:
        found = api.get(kind, name, namespace)
        return found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]

    return is_back


def status_of(api: Api, namespace: str) -> Obj:
    found: Obj = (api.get(names.KIND, "demo", namespace) or {})["status"]
    return found


def sign(api: Api, namespace: str, authority: Pair, hosts: list[str], name: str = "mine", **metadata: Obj) -> None:
    """Do what cert-manager does, or a person."""
    signed = MINT.sign(authority, name, hosts, timedelta(days=90))
    values = {"tls.crt": signed.chain, "tls.key": signed.key, "ca.crt": authority.chain}
    put(api, namespace, values, name, **metadata)


def hosts(namespace: str) -> list[str]:
    pod = f"demo-kafka-0.demo-kafka-headless.{namespace}.svc"
    return [*(f"demo-{store}" for store in STORES), pod, f"demo-api.{namespace}.svc"]


def test_another_authority_comes_although_the_operator_is_killed(
    api_server: RestartableApiServer, api: Api, kubelet: Kubelet, namespace: str, tmp_path: Path
) -> None:
    settings = {"SOMAMEMORY_RESYNC_SECONDS": "2", "SOMAMEMORY_WATCH_NAMESPACES": namespace}
    with Operator(api_server, tmp_path, **settings) as operator:
        api.make_memory(namespace, spec=OWN)
        api.wait_ready(namespace)
        told(api, namespace, "True", "Ready")
        before, old = uids(api, namespace), certificates_in(bundle(api, namespace))
        sets = {
            obj["metadata"]["name"]: len(rollouts(api, namespace, obj)) for obj in api.list("Deployment", namespace)
        }
        api.merge(names.KIND, "demo", namespace, {"spec": {"tls": {"rotate": "now"}}})
        for _ in range(5):
            time.sleep(random.uniform(0.2, 1.5))
            operator.kill()
            every_certificate_is_trusted(api, namespace)
            operator.start()
        eventually("others are shown", lambda: not any(shown(api, namespace, p).leads_to(old) for p in PARTS), 240)
        told(api, namespace, "True", "Ready", 120)
        api.wait_ready(namespace)

    every_certificate_is_trusted(api, namespace)
    assert uids(api, namespace) == before
    after = {obj["metadata"]["name"]: len(rollouts(api, namespace, obj)) for obj in api.list("Deployment", namespace)}
    assert after == {name: count + 1 for name, count in sets.items()}


def test_what_is_shown_stands_in_the_status(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    api.make_memory(namespace, spec=OWN)
    api.wait_ready(namespace)
    told(api, namespace, "True", "Ready")

    status = status_of(api, namespace)
    assert status["endpoints"]["api"] == f"https://demo-api.{namespace}.svc:9595"
    assert status["tls"]["source"] == "operator"
    assert status["tls"]["renewsAt"] < status["tls"]["endsAt"] < status["tls"]["authorityEndsAt"]
    assert status["tls"]["authorities"] == "demo-ca"
    signing = decoded(api.get("Secret", "demo-authority", namespace))["tls.key"]
    assert signing not in str(status)


def test_deleted_certificates_and_authorities_come_back(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    api.make_memory(namespace, spec=OWN)
    api.wait_ready(namespace)
    for kind, name in (("Secret", "demo-redis-certificate"), ("ConfigMap", "demo-ca"), ("Secret", "demo-authority")):
        is_back = delete(api, namespace, kind, name)
        eventually(f"{name} is back", is_back)
    told(api, namespace, "True", "Ready", 180)
    every_certificate_is_trusted(api, namespace)


def test_plain_text_goes_on_until_a_persons_certificates_can_be_used(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    volumes = {store.value: {"persistence": {"enabled": True, "size": "1Gi"}} for store in STORES}
    api.make_memory(namespace, spec=volumes)
    api.wait_ready(namespace)
    before, authority = uids(api, namespace), MINT.authority("mine")

    api.merge(names.KIND, "demo", namespace, {"spec": EXISTING})
    told(api, namespace, "False", "SecretMissing")
    sign(api, namespace, authority, ["demo-postgres"])
    told(api, namespace, "False", "CertificateInvalid")
    assert uids(api, namespace) == before
    assert status_of(api, namespace)["endpoints"]["api"].startswith("http:")

    sign(api, namespace, authority, hosts(namespace))
    told(api, namespace, "True", "Ready", 120)
    api.wait_ready(namespace)
    first, second = uids(api, namespace), MINT.authority("second")
    assert not set(first.values()) & set(before.values())

    sign(api, namespace, second, hosts(namespace))
    trusted = certificates_in(second.chain)
    eventually("the new one is shown", lambda: shown(api, namespace).leads_to(trusted), 180)
    every_certificate_is_trusted(api, namespace)
    api.delete("Secret", "mine", namespace)
    told(api, namespace, "False", "SecretMissing")
    api.wait_ready(namespace)
    assert uids(api, namespace) == first


@pytest.fixture
def cert_manager(api: Api) -> Iterator[None]:
    """The kind of cert-manager, served for the time of a test."""
    api.bring_kind("Certificate")
    yield
    api.take_kind_away("Certificate")


def issue(api: Api, namespace: str, authority: Pair) -> None:
    """Do what cert-manager does for every Certificate."""
    asked = eventually("all are asked for", lambda: complete(api.list("Certificate", namespace)))
    for obj in asked:
        spec = obj["spec"]
        sign(
            api,
            namespace,
            authority,
            [*spec["dnsNames"], *spec["ipAddresses"]],
            spec["secretName"],
            labels=spec["secretTemplate"]["labels"],
        )


def complete(found: list[Obj]) -> list[Obj] | None:
    return found if len(found) == len(PARTS) else None


def test_certificates_of_cert_manager_are_taken_over_and_outlast_it(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str, cert_manager: None
) -> None:
    authority = MINT.authority("ours")
    api.make_memory(namespace, spec=ISSUED)
    told(api, namespace, "False", "SecretMissing")
    assert api.list("StatefulSet", namespace) == []
    issue(api, namespace, authority)
    api.wait_ready(namespace)
    told(api, namespace, "True", "Ready")
    before, first = uids(api, namespace), shown(api, namespace)

    issue(api, namespace, authority)
    eventually("the renewed one is shown", lambda: shown(api, namespace).chain != first.chain, 60)
    api.delete("Certificate", "demo-redis-issued", namespace)
    eventually("it is asked for again", lambda: api.get("Certificate", "demo-redis-issued", namespace))
    api.delete("Secret", "demo-redis-issued", namespace)
    told(api, namespace, "False", "SecretMissing")
    every_certificate_is_trusted(api, namespace)
    assert api.condition(namespace)["status"] == "True"
    assert uids(api, namespace) == before


def test_cert_manager_may_come_later(api: Api, kubelet: Kubelet, operator: Operator, namespace: str) -> None:
    api.make_memory(namespace, spec=ISSUED)
    told(api, namespace, "False", "KindMissing")

    api.bring_kind("Certificate")
    try:
        issue(api, namespace, MINT.authority("ours"))
        api.wait_ready(namespace)
    finally:
        api.take_kind_away("Certificate")

    time.sleep(2)
    assert api.condition(namespace)["status"] == "True"
    every_certificate_is_trusted(api, namespace)
