"""The choice of a provider, from facts alone."""

import pytest

from localcluster.choose import Facts, choose
from localcluster.errors import CannotRunError


@pytest.mark.parametrize(
    ("facts", "provider"),
    [
        pytest.param(Facts(docker_answers=True), "docker", id="Docker is preferred, even by root on Linux"),
        pytest.param(Facts(docker_answers=True, linux=False, root=False), "docker", id="Docker on a Mac"),
        pytest.param(Facts(), "node", id="root on Linux without Docker"),
        pytest.param(Facts(docker_answers=True, node_runs=True), "node", id="a node that runs is kept"),
        pytest.param(Facts(forced="current"), "current", id="an existing cluster only when asked for"),
        pytest.param(Facts(forced="node", docker_answers=True), "node", id="CLUSTER wins over Docker"),
        pytest.param(Facts(forced="docker", node_runs=True), "docker", id="CLUSTER wins over a node that runs"),
    ],
)
def test_facts_decide_the_provider(facts: Facts, provider: str) -> None:
    choice = choose(facts)

    assert choice.provider == provider


def test_the_first_line_says_what_and_why() -> None:
    assert str(choose(Facts(docker_answers=True))) == "Cluster: kind on Docker (a Docker engine answers)"


@pytest.mark.parametrize(
    ("facts", "problem", "remedy"),
    [
        (Facts(root=False), "needs root", "run as root"),
        (Facts(linux=False), "needs Linux", "start Docker"),
        (Facts(forced="minikube"), "CLUSTER=minikube", "docker, node or current"),
    ],
)
def test_a_machine_that_cannot_is_told_what_to_do(facts: Facts, problem: str, remedy: str) -> None:
    with pytest.raises(CannotRunError) as caught:
        choose(facts)

    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
