"""What a machine lacks is told before anything is built, all of it at once, each with what to do."""

from dataclasses import replace

import pytest

from localcluster import choose
from preflight.__main__ import report
from preflight.facts import GIB, Facts, Room
from preflight.rules import problems
from preflight.targets import TARGETS, names_in, package_lists

NODE = Facts(choose.Facts())
DOCKER = Facts(choose.Facts(docker_answers=True))
USER = Facts(choose.Facts(root=False))


def told(facts: Facts, target: str = "up") -> list[str]:
    return [problem.what for problem in problems(TARGETS[target], facts)]


@pytest.mark.parametrize("facts", [NODE, DOCKER], ids=["root on Linux", "Docker"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_machine_that_has_everything_may_begin(facts: Facts, target: str) -> None:
    assert told(facts, target) == []


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        pytest.param({"missing_packages": ["buildah", "mmdebstrap"]}, "buildah mmdebstrap", id="packages"),
        pytest.param({"debian": False, "missing_packages": ["buildah"]}, "no Debian", id="another distribution"),
        pytest.param({"go": ""}, "Go is missing", id="no Go"),
        pytest.param({"go": "go1.19.8"}, "go1.19.8 is too old", id="Debian's own Go"),
        pytest.param({"capabilities": ~(1 << 21)}, "capabilities SYS_ADMIN", id="root inside of a container"),
        pytest.param(
            {"rooms": [Room(["/var", "/root"], 9 * GIB, 2 * GIB)]}, "9 GiB are needed for /var, /root", id="disk"
        ),
        pytest.param({"memory": 2 * GIB}, "6 GiB of memory are needed, and 2.0", id="memory"),
        pytest.param({"networks": ["10.123.0.0/24 on tun0"]}, "10.123.0.0/24 on tun0", id="the node's addresses"),
        pytest.param({"controllers": frozenset({"cpu"})}, "cpuset, memory, pids", id="control groups"),
        pytest.param({"lacking": ["overlay"]}, "kernel lacks overlay", id="kernel"),
        pytest.param({"state_filesystem": "overlay"}, "cannot lie on overlay", id="file system"),
    ],
)
def test_each_thing_that_a_node_lacks_is_named(lack: dict[str, object], words: str) -> None:
    (what,) = told(replace(NODE, **lack))  # type: ignore[arg-type]

    assert words in what


def test_everything_is_told_at_once() -> None:
    """Not one thing an attempt: whoever prepares a machine wants the whole list."""
    facts = replace(
        USER, missing_packages=["buildah"], go="", rooms=[Room(["/"], 9 * GIB, GIB)], memory=GIB, debian=True
    )

    text = report("up", problems(TARGETS["up"], facts))

    assert text.startswith("`make up` cannot begin on this machine:\n")
    for words in ("needs root", "apt-get install buildah", "Go is missing", "GiB are needed for /", "of memory"):
        assert words in text
    assert text.count("Next: ") == len(text.splitlines()[1:]) / 2


def test_what_only_a_node_needs_is_not_asked_of_docker() -> None:
    facts = replace(
        DOCKER,
        memory=GIB,
        networks=["10.123.0.0/24 on tun0"],
        controllers=frozenset(),
        lacking=["overlay"],
        state_filesystem="overlay",
        capabilities=0,
        compiles=False,
        go="",
    )

    assert told(facts) == []


def test_docker_needs_its_tools_and_the_port() -> None:
    facts = replace(DOCKER, missing_tools=["kubectl", "helm"], port_taken=True)

    assert told(facts) == ["kubectl is missing", "helm is missing", "Port 30797 of this host is taken"]


def test_programs_that_are_in_the_cache_need_no_go() -> None:
    assert told(replace(NODE, compiles=False, go="")) == []


def test_a_cluster_that_takes_no_images_is_refused_before_they_are_built() -> None:
    (problem,) = problems(TARGETS["up"], Facts(choose.Facts(forced="current")))

    assert "cannot be loaded" in problem.what
    assert "registry" in problem.remedy


def test_a_provider_that_there_is_not_is_named() -> None:
    assert told(Facts(choose.Facts(forced="minikube"))) == ["CLUSTER=minikube names no provider"]


def test_docker_that_is_asked_for_must_answer() -> None:
    assert told(Facts(choose.Facts(forced="docker"))) == ["No Docker engine answers"]


def test_images_are_built_by_docker_or_by_root() -> None:
    assert told(USER, "images") == ["No Docker engine answers, and without one only root builds images"]


@pytest.mark.parametrize(
    ("target", "provider", "has", "has_not"),
    [
        ("up", "node", {"containerd", "buildah", "mmdebstrap", "maven", "ca-certificates"}, {"postgresql"}),
        ("up", "docker", set(), {"containerd", "buildah", "mmdebstrap", "postgresql"}),
        ("images", "node", {"buildah", "mmdebstrap", "maven"}, {"containerd", "postgresql"}),
        ("test", "node", {"containerd", "buildah", "mmdebstrap", "maven", "postgresql", "redis-server"}, set()),
        ("integration", "node", {"postgresql", "redis-server", "maven"}, {"containerd"}),
    ],
)
def test_a_target_needs_the_packages_of_what_it_starts(
    target: str, provider: choose.ProviderName, has: set[str], has_not: set[str]
) -> None:
    """`make up` builds images, and once only `make test` installed their builder."""
    names = set(names_in(path.read_text() for path in package_lists(TARGETS[target], provider)))

    assert has <= names
    assert not has_not & names


def test_packages_are_listed_once_and_without_comments() -> None:
    assert names_in(["# why\nmaven\n\nbuildah  # builds\n", "maven\n"]) == ["buildah", "maven"]
