"""A GitOps tool's application of the SomaMemory's own name takes nothing that must outlive the SomaMemory."""

from somamemory_operator.model import names
from tests.integration.operator.gitops import RETAINED, is_spared, retained, taken
from tests.integration.operator.volumes import EVERY_STORE
from tests.integration.operator.world import Api, Kubelet, Operator, eventually


def test_nothing_that_outlives_the_resource_is_taken_for_the_applications_own(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Neither while it runs, nor when it is gone with `deletionPolicy: Retain`."""
    api.make_memory(namespace, spec={**EVERY_STORE, "backup": {}})
    api.wait_ready(namespace)
    eventually("nothing is taken while it runs", lambda: taken(api, namespace) == set())

    api.delete(names.KIND, "demo", namespace)

    eventually("the children are gone", lambda: not api.list("StatefulSet", namespace), 30)
    left = retained(api, namespace)
    assert {(obj["kind"], obj["metadata"]["name"]) for obj in left} == RETAINED
    assert taken(api, namespace) == set()
    assert [obj["metadata"]["name"] for obj in left if not is_spared(obj)] == []


def test_new_claims_are_spared_from_their_first_moment(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """The StatefulSet controller puts the selector's labels on them; until those are off, the annotation protects."""
    api.make_memory(namespace, spec=EVERY_STORE)
    api.wait_ready(namespace)

    for live in api.list("StatefulSet", namespace):
        [template] = live["spec"]["volumeClaimTemplates"]
        assert is_spared(template)


def test_the_label_of_an_application_on_the_resource_does_no_harm(
    api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    """Argo CD marks what it applies, which is the SomaMemory alone; its children go by its name."""
    api.make_memory(namespace)
    api.merge(names.KIND, "demo", namespace, {"metadata": {"labels": {"app.kubernetes.io/instance": "application"}}})

    api.wait_ready(namespace)

    services = api.list("Service", namespace, "somatechlat.github.io/somamemory=demo")
    assert {service["metadata"]["labels"]["app.kubernetes.io/instance"] for service in services} == {"demo"}
