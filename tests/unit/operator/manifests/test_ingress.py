"""The Ingress leads to the API's Service, with TLS unless told otherwise, and is let in."""

from typing import Any

from somamemory_operator.model.observed import Key, Obj
from somamemory_operator.resource.somamemory import SomaMemory
from tests.unit.operator.fakes import FakeCluster, memory

INGRESS = Key("Ingress", "demo-api")


def settled(about: SomaMemory) -> FakeCluster:
    cluster = FakeCluster()
    cluster.settle(about)
    return cluster


def reached(**ingress: Any) -> SomaMemory:
    return memory({"networkPolicy": {"enabled": True}, "api": {"ingress": {"host": "m.example.org", **ingress}}})


def test_the_ingress_leads_to_a_port_that_the_service_has() -> None:
    """(X-10)"""
    cluster = settled(reached(className="nginx", annotations={"example.org/a": "b"}))

    ingress, service = cluster.objects[INGRESS], cluster.objects[Key("Service", "demo-api")]
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert rule["host"] == "m.example.org"
    assert path["backend"]["service"]["name"] == "demo-api"
    assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["metadata"]["annotations"] == {"example.org/a": "b"}


def test_tokens_travel_encrypted_unless_told_otherwise() -> None:
    """The certificate's Secret has a name that cert-manager can fill (X-10)."""
    assert tls(reached()) == [{"hosts": ["m.example.org"], "secretName": "demo-api-tls"}]
    assert tls(reached(tls={"secretName": "mine"})) == [{"hosts": ["m.example.org"], "secretName": "mine"}]
    assert tls(reached(tls={"enabled": False})) == []


def tls(about: SomaMemory) -> list[Obj]:
    found: list[Obj] = settled(about).objects[INGRESS]["spec"].get("tls", [])
    return found


def test_the_network_policy_lets_the_ingress_controller_in() -> None:
    """Where it runs nobody knows, so the port is open to everybody; the API asks for a token (X-10, defect 13)."""
    cluster = settled(reached())

    [rule] = cluster.objects[Key("NetworkPolicy", "demo-api")]["spec"]["ingress"]
    container = cluster.objects[Key("Deployment", "demo-api")]["spec"]["template"]["spec"]["containers"][0]
    http = next(port["containerPort"] for port in container["ports"] if port["name"] == "http")
    assert "from" not in rule
    assert http in {port["port"] for port in rule["ports"]}


def test_an_ingress_that_is_turned_off_goes() -> None:
    """(X-10)"""
    cluster = settled(reached())

    cluster.settle(reached(enabled=False))

    assert INGRESS not in cluster.objects
