"""Whatever is interrupted goes on: a run, Kopf, the operator itself. No other operator runs beside these tests."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from somamemory_operator.cluster.client import Cluster
from somamemory_operator.cluster.connection import connect
from somamemory_operator.model import names
from somamemory_operator.model.observed import MemoryKey
from somamemory_operator.process.health import Limits
from somamemory_operator.process.program import Hear, Program
from somamemory_operator.reconcile.reconciler import Reconciler
from somamemory_operator.settings import Settings
from somamemory_operator.telemetry.metrics import Metrics
from tests.integration.operator.world import Api, Kubelet, Operator, RestartableApiServer, eventually, owned


@pytest.mark.parametrize("seed", range(3))
async def test_a_run_cancelled_at_random_steps_converges(
    api_server: RestartableApiServer, api: Api, kubelet: Kubelet, namespace: str, seed: int
) -> None:
    """Each run forgets everything, and is cancelled about when it makes one of its first writes."""
    api.make_memory(namespace)
    key, chance, cancelled = MemoryKey(namespace, "demo"), random.Random(seed), 0
    interruption = Interruption(chance)

    async with connect(Metrics(), interruption, kubeconfig=api_server.kubeconfig) as connection:
        deadline = time.monotonic() + 60
        while api.condition(namespace).get("status") != "True":
            assert time.monotonic() < deadline, api.condition(namespace)
            reconciler = Reconciler(Cluster(connection), Settings(), Metrics())
            run = interruption.watch(asyncio.ensure_future(reconciler.reconcile(key)))
            await asyncio.wait([run])
            cancelled += run.cancelled()

    assert cancelled > 3, "it was interrupted at all"
    children = owned(api, namespace)
    assert len(children) == len({(child["kind"], child["metadata"]["name"]) for child in children})
    assert sum(child["kind"] == "Job" for child in children) == 1
    first, copy = (api.get("Secret", name, namespace) for name in ("demo-credentials", "demo-credentials-copy"))
    assert first is not None
    assert copy is not None
    assert first["data"] == copy["data"]


class Interruption:
    """Asked before every write; cancels the run around the n-th, for a random n, and lets every fifth run through."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self._left = chance, 0
        self._run: asyncio.Future[float | None] | None = None

    def watch(self, run: asyncio.Future[float | None]) -> asyncio.Future[float | None]:
        self._run, self._left = run, self._chance.choice((1, 1, 2, 5, 1000))
        return run

    def __call__(self) -> bool:
        self._left -= 1
        if self._left == 0 and self._run is not None:
            asyncio.get_running_loop().call_later(self._chance.uniform(0, 0.01), self._run.cancel)
        return True


def test_a_killed_operator_goes_on_where_it_was(
    api_server: RestartableApiServer, api: Api, kubelet: Kubelet, tmp_path: Path, namespace: str
) -> None:
    settings = {"SOMAMEMORY_IDENTITY": "same-pod", "SOMAMEMORY_WATCH_NAMESPACES": namespace}
    for _ in range(2):
        with Operator(api_server, tmp_path, SOMAMEMORY_LEASE_NAME="killed", **settings) as operator:
            if not owned(api, namespace) and api.get(names.KIND, "demo", namespace) is None:
                api.make_memory(namespace)
            eventually("it writes", lambda operator=operator: operator.writes() > 3)  # type: ignore[misc]

    with Operator(api_server, tmp_path, SOMAMEMORY_LEASE_NAME="killed", **settings):
        api.wait_ready(namespace)


def test_a_resource_can_be_deleted_while_the_operator_is_away(
    api_server: RestartableApiServer, api: Api, kubelet: Kubelet, tmp_path: Path, namespace: str
) -> None:
    settings = {"SOMAMEMORY_LEADER_ELECTION": "false", "SOMAMEMORY_WATCH_NAMESPACES": namespace}
    with Operator(api_server, tmp_path, **settings) as operator:
        api.make_memory(namespace)
        api.wait_ready(namespace)
        operator.stop()

    api.delete(names.KIND, "demo", namespace)

    eventually("the resource is gone", lambda: api.get(names.KIND, "demo", namespace) is None, 5)
    eventually("its children are gone", lambda: owned(api, namespace) == [], 30)


class DeafListener:
    """A Kopf whose watches have died: it says that all is well, and hears nothing."""

    ready = True

    def __init__(self, *_: object) -> None: ...
    def age(self) -> float:
        return 0.0

    def start(self) -> None: ...
    def stop(self) -> None: ...


class EndingListener(DeafListener):
    """A Kopf that ends as soon as it has begun."""

    def __init__(self, _namespaces: Sequence[str], _hear: Hear, on_end: Callable[[], None]) -> None:
        self._on_end = on_end

    def start(self) -> None:
        self._on_end()


async def test_a_deaf_kopf_holds_up_nothing_and_ends_the_program(
    api_server: RestartableApiServer,
    api: Api,
    kubelet: Kubelet,
    namespace: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = Settings(metrics_port=0, leader_election=False, watch_namespaces=(namespace,))
    program = asyncio.ensure_future(
        Program(settings, DeafListener, Limits(look=0.3, deaf=6), api_server.kubeconfig).run()
    )
    await asyncio.sleep(0)

    api.make_memory(namespace)
    code = await asyncio.wait_for(program, 40)

    assert code == 1
    assert "Kopf has been deaf" in capsys.readouterr().out + caplog.text  # wherever logs go by now
    assert len(owned(api, namespace)) > 10


async def test_a_kopf_that_ends_ends_the_program(
    api_server: RestartableApiServer,
    api: Api,
    namespace: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = Settings(metrics_port=0, leader_election=False, watch_namespaces=(namespace,))

    code = await asyncio.wait_for(Program(settings, EndingListener, kubeconfig=api_server.kubeconfig).run(), 20)

    assert code == 1
    assert "Kopf ended although it must not" in capsys.readouterr().out + caplog.text  # wherever logs go by now
