"""A wrong spec shows a reason and what to do; the operator keeps serving the others."""

from typing import Any

import pytest

from tests.e2e.cluster import Cluster, Memory, eventually, recalled, store

IMPOSSIBLE = "registry.invalid/nowhere/soma"


@pytest.mark.timeout(600)
def test_a_volume_made_smaller_is_refused_with_a_sentence(cluster: Cluster, memory: Memory) -> None:
    """By the operator: only it knows what the claim has, and what may be lowered after a growth that failed."""
    memory.patch({"postgres": {"persistence": {"size": "500Mi"}}})

    expect(memory, "Ready", "VolumeShrink", "spec.postgres.persistence.size to 1Gi or more")
    assert memory.condition("Stalled")["status"] == "True"

    memory.patch({"postgres": {"persistence": {"size": "1Gi"}}})
    cluster.wait_ready(memory)


@pytest.mark.timeout(600)
def test_wrong_resources_explain_themselves_while_others_are_served(cluster: Cluster, memory: Memory) -> None:
    missing = {"name": "EXTRA", "valueFrom": {"secretKeyRef": {"name": "not-there", "key": "x"}}}
    no_secret = Memory(cluster, "no-secret", memory.namespace)
    no_secret.apply({"consumer": {"env": [missing]}})
    no_image = Memory(cluster, "no-image", memory.namespace)
    no_image.apply({"image": {"repository": IMPOSSIBLE, "tag": "v0"}})

    expect(no_secret, "ConsumerReady", "ContainerConfigInvalid", "not-there")
    expect(no_image, "Ready", "ImagePullFailed", IMPOSSIBLE)
    with memory.api() as api:
        store(api, "9,9", "the others are served")
        assert recalled(api, "the others are served")
    memory.patch({"consumer": {"resources": {"requests": {"memory": "65Mi"}}}})
    cluster.wait_ready(memory)


@pytest.mark.timeout(600)
def test_a_mended_spec_becomes_ready(cluster: Cluster, memory: Memory) -> None:
    mended = Memory(cluster, "no-secret", memory.namespace)

    mended.apply({"consumer": {"env": []}})

    cluster.wait_ready(mended)


def expect(memory: Memory, condition: str, reason: str, word: str) -> None:
    """Wait until the condition is False for this reason, in a sentence with this word."""

    def explains() -> dict[str, Any] | None:
        found = memory.condition(condition)
        is_it = found.get("status") == "False" and found.get("reason") == reason and word in found.get("message", "")
        return found if is_it else None

    print(eventually(f"{memory.name}: {condition} is False for {reason}, naming {word}", explains, 180)["message"])
