"""A watch that is refused goes on asking, is alive, and says so."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

from somamemory_operator.cluster.connection import Connection
from somamemory_operator.cluster.errors import ApiError
from somamemory_operator.cluster.watches import Watch, refusals
from somamemory_operator.model.reasons import Reason
from somamemory_operator.process.health import Health, Limits
from somamemory_operator.telemetry.metrics import Metrics
from tests.unit.operator.waiting import until


class FakeConnection:
    """An API server that lists, and refuses to be watched as long as `refused` is set."""

    def __init__(self) -> None:
        self.refused: ApiError | None = None
        self.asked = 0

    async def request(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"metadata": {"resourceVersion": "1"}}

    async def stream(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        self.asked += 1
        if self.refused is not None:
            raise self.refused
        yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "2"}}}
        await asyncio.Event().wait()


def forbidden() -> ApiError:
    return ApiError("WATCH /api/v1/pods", 403, "Forbidden", 'cannot watch resource "pods"')


async def test_a_refused_watch_is_alive_and_tells_the_verb() -> None:
    connection, woken, metrics = FakeConnection(), list[str](), Metrics()
    connection.refused = forbidden()
    watch = Watch(cast("Connection", connection), metrics, "Pod", None, lambda _: None, lambda: woken.append("all"))
    health = Health(Limits(silent=0.5))
    health.watches, health.listed_at = [watch], asyncio.get_running_loop().time()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        await until(lambda: watch.refusal is not None)
        told = refusals([watch], "space")["Pod"]
        assert (told.reason, told.message) == (Reason.FORBIDDEN, 'watch Pod: cannot watch resource "pods".')
        assert (watch.synced.is_set(), list(health.problems())) == (True, [])
        assert list(health.remarks()) == [told.message]
        assert (
            metrics.registry.get_sample_value("somamemory_operator_watch_refused", {"kind": "Pod", "namespace": ""})
            == 1
        )

        connection.refused = None
        await until(lambda: watch.refusal is None, seconds=5)
        task.cancel()

    assert refusals([watch], "space") == {}


async def test_a_refusal_in_one_namespace_is_none_in_another() -> None:
    connection = FakeConnection()
    connection.refused = forbidden()
    watch = Watch(cast("Connection", connection), Metrics(), "Pod", "one", lambda _: None, lambda: None)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        await until(lambda: watch.refusal is not None)
        task.cancel()

    assert (list(refusals([watch], "one")), list(refusals([watch], "two"))) == (["Pod"], [])
