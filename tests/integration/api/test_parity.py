"""Whatever face is asked: the object in process, HTTP, gRPC, the command. Each operation answers the same."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from somafractalmemory.factory import MemoryMode, create_memory_system
from tests.integration.api.cliface import Cli
from tests.integration.api.coreface import Core
from tests.integration.api.faces import Http, Item, Refused
from tests.integration.api.grpcface import Grpc
from tests.integration.api.programs import Stack, eventually

pytestmark = pytest.mark.timeout(300)
NAMES = ("core", "http", "grpc", "cli")
MEMORIES: tuple[Item, ...] = (
    ("1,2", {"fact": "cats purr when they are content", "room": "kitchen", "importance": 3}, "semantic"),
    ("3,4", {"fact": "the cat sleeps", "room": "attic", "n": 2.5, "tags": ["a", None]}, "episodic"),
    ("-5,6.25", {"fact": "dogs bark at night", "room": "yard", "importance": -1}, "episodic"),
    ("7,8", {"fact": "ünïcode \N{SNOWMAN} and 'quotes' \"too\"", "deep": {"er": [1, {"x": True}]}}, "semantic"),
    ("9", {}, "episodic"),
)
Making = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def make(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Making]:
    """A face by its name, in a namespace."""
    environment = {name: value for name, value in stack.environment.items() if name.startswith(("QDRANT_", "KAFKA_"))}
    with ExitStack() as opened, pytest.MonkeyPatch.context() as exported:
        for name, value in environment.items():
            exported.setenv(name, value)
        channel = opened.enter_context(grpc.insecure_channel(f"127.0.0.1:{stack.api.grpc_port}"))

        def made(name: str, namespace: str) -> Any:
            if name == "core":
                config = {"postgres": {"url": stack.postgres_url}, "redis": {"url": stack.environment["REDIS_URL"]}}
                system = create_memory_system(MemoryMode.EVENTED_ENTERPRISE, namespace, config)
                return Core(opened.enter_context(system))
            if name == "grpc":
                return Grpc(channel, namespace)
            return (
                Http(stack.http, namespace)
                if name == "http"
                else Cli(stack.api.url, namespace, tmp_path_factory.mktemp("cli"))
            )

        yield made


@pytest.fixture(scope="module")
def faces(make: Making) -> dict[str, Any]:
    """All of them on one namespace that is only read."""
    namespace = f"parity-{uuid4().hex[:8]}"
    made = {name: make(name, namespace) for name in NAMES}
    made["http"].store_many(MEMORIES)
    made["http"].link("1,2", "3,4", "about", 0.5)
    made["http"].link("3,4", "-5,6.25")
    made["http"].link("1,2", "-5,6.25", "far", 7)
    made["http"].store("9", {"now": "changed"})
    # How important is important is learned by one process and told to the others within seconds.
    ask = READS["recall by vectors"]
    eventually(lambda: ask(made["core"]) == about(ask(made["http"])), seconds=60)
    return made


READS: dict[str, Callable[[Any], Any]] = {
    "get": lambda face: face.get("3.0,4"),
    "get what was changed": lambda face: face.get("9"),
    "versions": lambda face: face.versions("9"),
    "recall": lambda face: face.recall("cats purr", 3),
    "recall a type": lambda face: face.recall("cats purr", 5, "episodic"),
    "recall by vectors": lambda face: face.by_vectors("dogs at night"),
    "recall with terms": lambda face: face.hybrid("night", ["cat", "purr"], 3.0),
    "explain": lambda face: face.explain("dogs at night", ["bark", "cat"]),
    "recall in a context": lambda face: face.in_context("cat", {"where": "attic"}),
    "keyword": lambda face: face.keyword("sleeps"),
    "keyword as characters": lambda face: face.keyword("ca", exact=False),
    "range": lambda face: face.within("-9,0", "3,9"),
    "list": lambda face: face.everything(),
    "neighbors": lambda face: face.neighbors("1,2"),
    "neighbors of a type": lambda face: face.neighbors("1,2", "far"),
    "path": lambda face: face.path("1,2", "-5,6.25"),
    "links": lambda face: sorted(face.links()),
    "all by chance, to reflect on": lambda face: face.by_chance("reflect", 9),
    "all by chance, to replay": lambda face: face.by_chance("replay", 9),
    "no path": lambda face: face.path("3,4", "9"),
    "stats": lambda face: face.stats(),
    "health": lambda face: face.healthy(),
    "no memory": lambda face: refusal(lambda: face.get("404")),
    "no versions": lambda face: refusal(lambda: face.versions("404")),
    "no end of a path": lambda face: refusal(lambda: face.path("1,2", "404")),
    "no neighbors of nothing": lambda face: refusal(lambda: face.neighbors("404")),
    "amend at a wrong version": lambda face: refusal(lambda: face.amend("9", {"x": 1}, 77)),
    "a place that is none": lambda face: refusal(lambda: face.get("nan")),
    "a box that is none": lambda face: refusal(lambda: face.within("1", "1,2")),
    "too many": lambda face: refusal(lambda: face.recall("cats", 1001)),
    "a boost out of bounds": lambda face: refusal(lambda: face.hybrid("cats", ["cat"], 11.0)),
}
SOME: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "recent": ("core http grpc cli", lambda face: face.recent(3)),
    "important": ("core http grpc cli", lambda face: face.important(3)),
    "recall many": ("http grpc cli", lambda face: face.batch(["cats purr", "dogs at night"], 2)),
}


@pytest.mark.parametrize("operation", READS)
def test_every_face_reads_the_same(faces: dict[str, Any], operation: str) -> None:
    """(X-01) (X-02) (X-03)"""
    answers = {name: READS[operation](face) for name, face in faces.items()}

    assert answers == dict.fromkeys(NAMES, about(answers["http"]))


@pytest.mark.parametrize("operation", SOME)
def test_the_faces_that_have_an_operation_agree(faces: dict[str, Any], operation: str) -> None:
    names, ask = SOME[operation]
    answers = {name: ask(faces[name]) for name in names.split()}

    assert answers == dict.fromkeys(names.split(), answers["http"])


def test_what_is_read_is_what_was_stored(faces: dict[str, Any]) -> None:
    """So that all of them agree on the right thing."""
    place, payload, kind = MEMORIES[3]

    assert faces["core"].get(place) == ([7.0, 8.0], kind, payload)
    assert [seen[0] for seen in faces["core"].everything()] == [[9.0], [-5.0, 6.25], [1.0, 2.0], [3.0, 4.0], [7.0, 8.0]]
    assert faces["core"].path("1,2", "-5,6.25") == [[1.0, 2.0], [3.0, 4.0], [-5.0, 6.25]]
    assert faces["core"].recall("cats purr", 1)[0][0] == [1.0, 2.0]
    assert faces["core"].stats() == {"total_memories": 5, "episodic": 3, "semantic": 2}


@pytest.fixture(scope="module")
def left(make: Making) -> dict[str, Any]:
    """What a life leaves behind that was led through one face, and what that face said meanwhile."""
    found = {}
    for name in NAMES:
        namespace = f"parity-{name}-{uuid4().hex[:8]}"
        said = live(make(name, namespace))
        found[name] = {"said": said, **remains(make("http", namespace))}
    return found


def live(face: Any) -> list[Any]:
    """Every write that all faces have; answers what can be compared."""
    face.store("1,2", {"fact": "first", "importance": 2}, "semantic")
    face.store("1.0,2", {"fact": "second", "n": [1, None]}, "semantic")
    said: list[Any] = [
        face.store_many([("3,4", {"a": 1}, "episodic"), ("5,6", {"b": 2}, "semantic"), ("-0.0,7", {}, "episodic")])
    ]
    face.link("1,2", "3,4", "causes", 0.5)
    face.link("3,4", "5,6")
    face.link("3,4", "5,6", "related", 3)
    face.link("5,6", "1,2", "to go")
    face.unlink("5,6", "1,2", "to go")
    face.importance("3,4", 4.5)
    face.amend("3,4", {"a": None, "more": {"x": 1}})
    face.store("6", {"task": "guess", "predicted_outcome": "sun"})
    face.store("8", {"gone": True})
    face.delete("8")
    said.append(face.delete_many(["0,7", "404", "5.0,6"]))
    said += [face.stats(), sorted(face.audit("delete", 50))]
    said += [
        refusal(lambda: face.delete("8")),
        refusal(lambda: face.unlink("5,6", "1,2", "to go")),
        refusal(lambda: face.link("1,2", "404")),
        refusal(lambda: face.link("1,2", "1.0,2.0")),
        refusal(lambda: face.importance("404", 1.0)),
        refusal(lambda: face.amend("404", {"x": 1})),
        refusal(lambda: face.store("inf", {})),
        refusal(lambda: face.store("1", {"deep": nested(40)})),
        refusal(lambda: face.store("1", {"x": "a\0b"})),
        refusal(lambda: face.store_many([("1", {}, "episodic"), ("nan", {}, "episodic")])),
    ]
    return said


def remains(http: Http) -> dict[str, Any]:
    """Everything that HTTP tells of a namespace, without times."""
    memories = http.ask("GET", "/memories", limit=1000)["memories"]
    links = http.ask("GET", "/links", limit=1000)["links"]
    return {
        "memories": [
            (memory["coordinate"], memory["memory_type"], memory["payload"], memory["importance"], memory["version"])
            for memory in memories
        ],
        "links": [(link["from"], link["to"], link["type"], link["weight"]) for link in links],
        "versions": http.versions("1,2"),
        "audit": sorted(http.audit("delete", 50)),
        "index": sorted(seen[0] for seen in http.recall("second guess task fact", 50)),
    }


@pytest.mark.parametrize("part", ["said", "memories", "links", "versions", "audit", "index"])
def test_the_same_life_through_any_face_leaves_the_same(left: dict[str, Any], part: str) -> None:
    """(X-01) (X-02)"""
    answers = {name: found[part] for name, found in left.items()}

    assert answers == dict.fromkeys(NAMES, answers["http"])


def test_that_life_leaves_what_it_should(left: dict[str, Any]) -> None:
    found = left["core"]

    assert [memory[0] for memory in found["memories"]] == [[6.0], [1.0, 2.0], [3.0, 4.0]]
    assert found["links"] == [([1.0, 2.0], [3.0, 4.0], "causes", 0.5)]
    assert [version[2]["fact"] for version in found["versions"]] == ["second", "first"]
    assert found["said"][:2] == [3, 2]
    assert found["said"][3] == found["audit"] == [("delete", place, {}) for place in ([0.0, 7.0], [5.0, 6.0], [8.0])]
    assert found["said"][4:] == ["missing"] * 3 + ["wrong", "missing", "missing"] + ["wrong"] * 4
    assert found["memories"][2][2] == {"more": {"x": 1}, "importance": 4.5}


def test_a_question_in_the_address_is_answered_as_one_in_a_body(faces: dict[str, Any]) -> None:
    http, words = faces["http"], {"query": "cats purr", "top_k": 3, "type": "semantic", "hybrid": True}

    by_address = http.ask("GET", "/recall", **words, filters='{"room": "kitchen"}')
    by_body = http.ask("POST", "/recall", {**words, "filters": {"room": "kitchen"}})

    assert by_address == by_body
    assert [memory["coordinate"] for memory in by_body["matches"]] == [[1.0, 2.0]]


def test_many_links_are_put_the_same_through_any_face_that_can(make: Making) -> None:
    """(X-02)"""
    put = {}
    for name in ("http", "grpc", "cli"):
        namespace = f"parity-links-{name}-{uuid4().hex[:8]}"
        face, http = make(name, namespace), make("http", namespace)
        http.store_many(MEMORIES)
        counts = [
            face.link_many([("1,2", "3,4", "about", 0.5), ("3,4", "9", "to", 2.0), ("1,2", "3.0,4", "about", 1.5)])
        ]
        wrong = refusal(partial(face.link_many, [("1,2", "9", "to", 1.0), ("1,2", "404", "to", 1.0)]))
        put[name] = counts, wrong, http.links()

    assert put == dict.fromkeys(put, put["http"])
    assert put["http"][1:] == ("missing", [([1, 2], [3, 4], "about", 1.5), ([3, 4], [9], "to", 2.0)])


def test_a_memory_is_erased_the_same_through_any_face_that_can(make: Making) -> None:
    found = {}
    for name in ("http", "grpc"):
        namespace = f"parity-erase-{name}-{uuid4().hex[:8]}"
        face, http = make(name, namespace), make("http", namespace)
        http.store_many(MEMORIES)
        http.store("1,2", {"now": "changed"})
        http.link("1,2", "3,4")
        done = face.erase("1,2")
        found[name] = done, http.everything(), http.links()

    assert found == dict.fromkeys(found, found["http"])
    assert found["http"][0] == (True, 1, 1)
    assert [seen[0] for seen in found["http"][1]] == [[9.0], [-5.0, 6.25], [3.0, 4.0], [7.0, 8.0]]
    assert found["http"][2] == []


def test_learning_from_what_was_is_the_same_through_any_face(make: Making) -> None:
    """(X-04)"""
    learned = {}
    for name in NAMES:
        namespace = f"parity-learn-{name}-{uuid4().hex[:8]}"
        face, http = make(name, namespace), make("http", namespace)
        face.store("1,2", {"task": "guess the weather", "predicted_outcome": "sun"})
        face.outcome("1,2", "rain")
        facts = (face.consolidate(), face.consolidate())
        learned[name] = facts, [seen[0] for seen in http.everything()], http.get("1,2"), http.neighbors("1,2")

    assert learned == dict.fromkeys(learned, learned["http"])
    assert learned["http"][0] == (1, 0)
    assert learned["http"][2][2]["reported_outcome"] == "rain"


def test_exports_of_any_face_are_the_same_and_any_face_brings_them_back(make: Making, tmp_path: Path) -> None:
    """(X-04)"""
    source = f"parity-export-{uuid4().hex[:8]}"
    make("http", source).store_many(MEMORIES)
    make("http", source).store("9", {"now": "changed"})
    make("http", source).link("1,2", "3,4", "about", 0.5)
    lines, brought = {}, {}
    for name in NAMES:
        file, target = tmp_path / name, f"parity-import-{uuid4().hex[:8]}"
        face = make(name, source)
        assert face.export(file) == 5
        lines[name] = file.read_text().splitlines()[1:]  # the first one tells when
        face = make(name, target)
        assert face.bring(file) == 5
        brought[name] = {**remains(make("http", target)), "changed": make("http", target).versions("9")}

    assert lines == dict.fromkeys(lines, lines["http"])
    assert len(lines["http"]) == 7
    assert brought == dict.fromkeys(brought, brought["http"])
    assert [version[2] for version in brought["http"]["changed"]] == [{"now": "changed"}, {}]


def about(answer: Any) -> Any:
    """Scores fade with the seconds, a little."""
    if isinstance(answer, list):
        return [about(part) for part in answer]
    if isinstance(answer, tuple) and len(answer) == 2:
        return answer[0], pytest.approx(answer[1], abs=1e-3)
    return answer


def refusal(call: Callable[[], object]) -> str:
    """The word of a refusal."""
    try:
        answer = call()
    except Refused as refused:
        return refused.word
    return f"it was answered: {answer!r}"


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    return [] if depth == 0 else [nested(depth - 1)]
