"""An empty spec is enough."""

from tests.e2e.cluster import Cluster, Memory, recalled, refusal, store


def test_an_empty_spec_becomes_ready_and_remembers(cluster: Cluster, namespace: str) -> None:
    memory = Memory(cluster, "plain", namespace)

    memory.apply({})
    seconds = cluster.wait_ready(memory)

    print(f"Ready after {seconds:.0f} s")
    with memory.forwarded_api() as api:
        store(api, "0.5,-2", "an empty spec is enough")
        assert recalled(api, "an empty spec is enough")


def test_the_table_of_kubectl_tells_how_it_stands(cluster: Cluster, namespace: str) -> None:
    header, row = cluster.kubectl("get", "sm", "plain", "-n", namespace).splitlines()

    assert header.split() == ["NAME", "READY", "STATUS", "COMPONENTS", "VERSION", "AGE"]
    assert row.split()[:4] == ["plain", "True", "Ready", "6/6"]


def test_a_misspelt_field_is_refused(cluster: Cluster, namespace: str) -> None:
    """kubectl validates strictly by default; the server names the field."""
    words = refusal(lambda: Memory(cluster, "typo", namespace).apply({"replica": 3}))

    assert 'unknown field "spec.replica"' in words


def test_the_resource_carries_no_finalizer_and_no_annotation_of_the_framework(cluster: Cluster, namespace: str) -> None:
    metadata = (Memory(cluster, "plain", namespace).get() or {})["metadata"]

    assert metadata.get("finalizers", []) == []
    assert not [name for name in metadata.get("annotations", {}) if "kopf" in name]
