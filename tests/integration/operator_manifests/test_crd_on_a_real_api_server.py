"""The API server itself judges our CRD: rules, strictness, subresources, columns."""

import json
from typing import Any

import pytest
import yaml

from tests.integration.operator_manifests.conftest import NAMESPACE, ROOT, Kubectl
from tests.unit.operator.resource.refused_by_prometheus import REFUSED as REFUSED_BY_PROMETHEUS
from tests.unit.operator.resource.refused_by_prometheus import TAKEN

Spec = dict[str, Any]


def resource(name: str, spec: Spec | None = None) -> str:
    metadata = {"name": name, "namespace": NAMESPACE}
    api_version = "somatechlat.github.io/v1alpha1"
    obj: Spec = {"apiVersion": api_version, "kind": "SomaMemory", "metadata": metadata}
    return json.dumps(obj if spec is None else obj | {"spec": spec})


def volume(**persistence: Any) -> Spec:
    return {"postgres": {"persistence": persistence}}


def existing(chosen: Spec) -> Spec:
    return {"secrets": {"source": "existing", "existing": chosen}}


def external(chosen: Spec | None = None, **more: object) -> Spec:
    return {"postgres": {"external": {"host": "db", "secretRef": {"name": "db"}} | (chosen or {}), **more}}


def fetched(**chosen: object) -> Spec:
    return {
        "secrets": {"source": "externalSecret", "externalSecret": {"secretStoreRef": {"name": "vault"}, **chosen}},
    }


HOSTS = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
REFUSED: dict[str, tuple[str, Spec, str]] = {
    "one pull secret twice": ("x", {"imagePullSecrets": ["a", "b", "a"]}, "names a Secret twice"),
    "two spreads of one kind": (
        "x",
        {"redis": {"topologySpreadConstraints": [HOSTS, HOSTS | {"maxSkew": 2}]}},
        "two of one topologyKey and whenUnsatisfiable",
    ),
    "one variable twice": ("x", {"api": {"env": [{"name": "A"}, {"name": "A"}]}}, "Duplicate value"),
    "an external store by two ways": (
        "x",
        {"redis": {"external": {"url": "redis://a/0", "host": "b"}}},
        "by url, by host or by sentinel",
    ),
    "a cluster with another database": (
        "x",
        {"redis": {"external": {"host": "a", "cluster": True, "database": 1}}},
        "neither sentinel nor another database",
    ),
    "an address that repeats itself": (
        "x",
        {"redis": {"external": {"url": "redis://a/0", "port": 6379}}},
        "url says port, username, database already",
    ),
    "a password in an address": ("x", {"redis": {"external": {"url": "redis://:pw@a/0"}}}, "should match"),
    "certificates of two sources": ("x", {"tls": {"source": "operator", "existing": {"name": "a"}}}, "go together"),
    "a life that is too short": ("x", {"tls": {"duration": "1m"}}, "at least 120s"),
    "a renewal before the beginning": ("x", {"tls": {"duration": "1h", "renewBefore": "2h"}}, "shorter than duration"),
    "too few Secrets": ("x", {"tls": {"source": "existing", "existing": {"api": "a"}}}, "names too few Secrets"),
    "a name that is too long": ("a" * 44, {}, "at most 43 characters"),
    "a name that no Service can have": ("1st", {}, "must start with a letter"),
    "an unknown profile": ("x", {"profile": "huge"}, "spec.profile"),
    "a size that is none": ("x", volume(size="big"), "spec.postgres.persistence.size"),
    "one port for HTTP and gRPC": ("x", {"api": {"service": {"port": 50053}}}, "they differ"),
    "a node port without one": ("x", {"api": {"service": {"nodePort": 30000}}}, "nodePort needs type NodePort"),
    "two values": (
        "x",
        {"api": {"env": [{"name": "A", "value": "b", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]}},
        "set either value or valueFrom",
    ),
    "no source": (
        "x",
        {"api": {"env": [{"name": "A", "valueFrom": {}}]}},
        "set either secretKeyRef or configMapKeyRef",
    ),
    "a variable twice": ("x", {"api": {"env": [{"name": "A"}, {"name": "A"}]}}, "Duplicate value"),
    "a smuggled line": ("x", {"redis": {"config": {"maxmemory": "1gb\nrequirepass x"}}}, "spec.redis.config.maxmemory"),
    "a window that nobody asked for": (
        "x",
        {"upgrade": {"window": {"start": "02:00", "hours": 2}}},
        "stores: Window and the field window belong together",
    ),
    "a window of its own that is missing": ("x", {"upgrade": {"stores": "Window"}}, "give both or neither"),
    "a window at no time of the day": (
        "x",
        {"upgrade": {"stores": "Window", "window": {"start": "24:00", "hours": 2}}},
        "spec.upgrade.window.start",
    ),
    "a source of secrets that does not exist": ("x", {"secrets": {"source": "guessed"}}, "spec.secrets.source"),
    "an image of an external store": ("x", external(image={"tag": "17"}), "external excludes"),
    "a volume of an external store": ("x", external(persistence={"size": "5Gi"}), "external excludes"),
    "a password in a host": ("x", external({"host": "us:secret@db"}), "spec.postgres.external.host"),
    "an existing source without Secrets": ("x", {"secrets": {"source": "existing"}}, "existing go together"),
    "Secrets of another source": ("x", {"secrets": {"existing": {"name": "mine"}}}, "existing go together"),
    "existing that names nothing": ("x", existing({}), "existing names no Secret"),
    "an external secret that fetches nothing": ("x", fetched(), "externalSecret fetches nothing"),
    "an external secret from nowhere": ("x", fetched(dataFrom=[{}]), "either extract or find"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_with_a_sentence(kubectl: Kubectl, case: str) -> None:
    name, spec, words = REFUSED[case]

    assert words in kubectl.refusal("create", "--dry-run=server", "-f", "-", text=resource(name, spec))


@pytest.mark.parametrize("case", REFUSED_BY_PROMETHEUS)
def test_what_prometheus_would_refuse_is_refused_with_a_sentence(kubectl: Kubectl, case: str) -> None:
    """One such value would cost all alerts, and only Prometheus' log would say so."""
    spec, words = REFUSED_BY_PROMETHEUS[case]

    assert words in kubectl.refusal("create", "--dry-run=server", "-f", "-", text=resource("x", spec))


def test_an_expression_that_cannot_be_compiled_is_told_with_its_cause(kubectl: Kubectl) -> None:
    spec = REFUSED_BY_PROMETHEUS["a lookahead"][0]

    words = kubectl.refusal("create", "--dry-run=server", "-f", "-", text=resource("x", spec))

    assert "metricRelabelings[0].regex" in words
    assert "unsupported Perl syntax: `(?!`" in words


@pytest.mark.parametrize("case", TAKEN)
def test_what_prometheus_takes_is_taken(kubectl: Kubectl, case: str) -> None:
    kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", text=resource("x", TAKEN[case]))


def test_the_longest_relabelings_are_not_too_dear(kubectl: Kubectl) -> None:
    """The API server prices every evaluation of a rule, and refuses an object whose rules cost too much together."""
    longest = [{"targetLabel": "a", "regex": "(a|b)" * 800}] * 32
    spec = {"monitoring": {"serviceMonitor": {"relabelings": longest, "metricRelabelings": longest}}}

    kubectl("create", "--dry-run=server", "-f", "-", text=resource("x", spec))


CHANGES: dict[str, tuple[Spec, Spec, str | None]] = {
    # Only the operator sees how large the claim is: a size that never came to be may be taken back.
    "a smaller volume": (volume(enabled=True, size="5Gi"), volume(enabled=True, size="500Mi"), None),
    "a storage class taken away": (volume(enabled=True, storageClassName="a"), volume(enabled=True), None),
    "a larger volume": (volume(enabled=True, size="5Gi"), volume(enabled=True, size="6Gi"), None),
    "the same size in other words": (volume(enabled=True, size="1Gi"), volume(enabled=True, size="1024Mi"), None),
    "a smaller volume that never was": (volume(enabled=False, size="5Gi"), volume(enabled=True, size="1Gi"), None),
    "another storage class": (
        volume(enabled=True, storageClassName="a"),
        volume(enabled=True, storageClassName="b"),
        "storage class of an existing volume cannot change",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_changes_are_judged_against_what_was(kubectl: Kubectl, case: str) -> None:
    before, after, words = CHANGES[case]
    kubectl("replace", "--force", "-f", "-", text=resource("changing", before))

    done = kubectl.attempt("apply", "-f", "-", text=resource("changing", after))

    assert (done.returncode == 0) == (words is None), done.stderr
    assert (words or "") in done.stderr


def test_an_unknown_field_is_refused_and_named(kubectl: Kubectl) -> None:
    words = kubectl.refusal("apply", "--validate=strict", "-f", "-", text=resource("typo", {"api": {"replica": 3}}))

    assert 'unknown field "spec.api.replica"' in words


GOLDEN = ROOT / "tests/unit/operator/manifests/golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.in.yaml")), ids=lambda p: p.name)
def test_what_the_models_accept_the_server_accepts_too(kubectl: Kubectl, path: Any) -> None:
    spec = yaml.safe_load(path.read_text()).get("spec", {})

    kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", text=resource("golden", spec))


@pytest.mark.parametrize("path", sorted((ROOT / "kind/examples").glob("*.yaml")), ids=lambda p: p.name)
def test_examples_are_accepted(kubectl: Kubectl, path: Any) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        document["metadata"].pop("namespace", None)
        kubectl(
            "create", "--dry-run=server", "--validate=strict", "-n", NAMESPACE, "-f", "-", text=yaml.safe_dump(document)
        )


def test_a_new_resource_has_a_status_that_is_not_current_and_no_defaults_in_its_spec(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", text=resource("fresh", {}))

    found = kubectl.get("sm", "fresh", "-n", NAMESPACE)

    assert found["status"] == {"observedGeneration": -1}
    assert found["spec"] == {}


def test_the_api_can_be_scaled_through_the_resource(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", text=resource("scaled", {"api": {"replicas": 1}}))

    kubectl("scale", "somamemory/scaled", "-n", NAMESPACE, "--replicas=3")

    assert kubectl.get("somamemories", "scaled", "-n", NAMESPACE)["spec"]["api"]["replicas"] == 3


def test_it_is_found_by_its_category_and_shows_its_columns(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", text=resource("shown", {}))

    header = kubectl("get", "soma", "-n", NAMESPACE, "-o", "wide").splitlines()[0]

    assert header.split() == [
        "NAME",
        "READY",
        "STATUS",
        "COMPONENTS",
        "VERSION",
        "AGE",
        "API",
        "POSTGRES",
        "REDIS",
        "QDRANT",
        "KAFKA",
        "UPTODATE",
        "DURABLE",
        "MESSAGE",
    ]
