"""The API server goes away for a while and comes back."""

from somamemory_operator.model import names
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually


def test_watches_recover_from_a_restarted_api_server(
    api_server: RestartableApiServer, api: Api, kubelet: Kubelet, operator: Operator, namespace: str
) -> None:
    api.make_memory(namespace)
    api.wait_ready(namespace)

    api_server.crash()
    eventually("the operator noticed", lambda: operator.count("somamemory_operator_retries_total") > 0)
    assert operator.answers("/healthz") == 200, "to start the operator anew would not bring the API server back"
    api_server.recover()

    api.delete("Service", "demo-redis", namespace)
    eventually("a deleted child is back", lambda: api.get("Service", "demo-redis", namespace), 30)
    api.merge(names.KIND, "demo", namespace, {"spec": {"consumer": {"enabled": False}}})
    eventually("the consumer is gone", lambda: api.get("Deployment", "demo-consumer", namespace) is None, 30)
    api.delete("Service", "demo-redis", namespace)
    eventually("everything is as quick as before", lambda: api.get("Service", "demo-redis", namespace), 5)
    assert operator.answers("/readyz") == 200
