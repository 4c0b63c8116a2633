"""A stored memory reaches every store, and outlives the pods of all six components."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx
import pytest

from tests.e2e.cluster import Cluster, Memory, eventually, recalled, store

COMPONENTS = ("api", "consumer", "postgres", "redis", "qdrant", "kafka")
WRITES = 200


class Writer:
    """Stores one memory after the other until told to stop, and remembers which were acknowledged."""

    def __init__(self, api: httpx.Client) -> None:
        self.acknowledged: list[str] = []
        self.refused = 0
        self._api = api
        self._stop = threading.Event()

    def run(self) -> None:
        """Write until `WRITES` are acknowledged and `stop` was called; slow down after a refusal."""
        for number in count():
            if self._stop.is_set() and len(self.acknowledged) >= WRITES:
                return
            self._write(f"7,{number}")

    def _write(self, coordinate: str) -> None:
        try:
            store(self._api, coordinate, f"written at {coordinate}")
        except httpx.HTTPError:
            self.refused += 1
        else:
            self.acknowledged.append(coordinate)
        self._stop.wait(0.1)

    def stop(self) -> None:
        """End after the write under way and the last of `WRITES`."""
        self._stop.set()


@contextmanager
def writing(api: httpx.Client) -> Iterator[Writer]:
    """Write in the background while the block runs."""
    writer = Writer(api)
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        yield writer
    finally:
        writer.stop()
        thread.join(timeout=180)
    assert not thread.is_alive()


def test_a_stored_memory_is_in_every_store(memory: Memory) -> None:
    with memory.api() as api:
        store(api, "1,2,3", "a memory goes everywhere")

        assert memory.sql("select count(*) from memories where payload->>'fact' = 'a memory goes everywhere'") == "1"
        assert recalled(api, "a memory goes everywhere")
    in_events = "select count(*) from memory_events where payload::text like '%a memory goes everywhere%'"
    eventually("the event went through Kafka", lambda: memory.sql(in_events) == "1")


@pytest.mark.timeout(900)
def test_no_acknowledged_write_is_lost_while_every_pod_is_deleted_in_turn(cluster: Cluster, memory: Memory) -> None:
    with memory.api() as api:
        store(api, "3,2,1", "this line outlives the pods")
        with writing(api) as writer:
            for component in COMPONENTS:
                delete_pod(cluster, memory, component)
                eventually("recalled again", lambda: recalls(api, "this line outlives the pods"), 120)

        print(f"{len(writer.acknowledged)} acknowledged, {writer.refused} refused")
        assert len(writer.acknowledged) >= WRITES
        answers = {at: api.get(f"/memories/{at}").status_code for at in writer.acknowledged}
    assert [at for at, status in answers.items() if status != httpx.codes.OK] == []


def delete_pod(cluster: Cluster, memory: Memory, component: str) -> None:
    """Delete a component's pods, and wait until the resource is Ready with other ones."""
    selector = f"app.kubernetes.io/instance={memory.name},app.kubernetes.io/component={component}"
    old = {pod["metadata"]["uid"] for pod in cluster.list("pods", memory.namespace, selector)}
    assert old
    cluster.kubectl("delete", "pod", "-n", memory.namespace, "-l", selector)
    eventually(
        f"new pods of {component}",
        lambda: not old & {pod["metadata"]["uid"] for pod in cluster.list("pods", memory.namespace, selector)},
    )
    eventually("Ready is false or true again", lambda: memory.condition(f"{component.capitalize()}Ready"))
    cluster.wait_ready(memory)


def recalls(api: httpx.Client, fact: str) -> bool:
    """Tell whether the memory is recalled now; a refused connection means no."""
    try:
        return recalled(api, fact)
    except httpx.HTTPError:
        return False
