"""A live pod template is told from another one, whatever the API server makes of it."""

import copy

import pytest

from somamemory_operator.model.observed import Obj
from somamemory_operator.model.templates import asks_for, is_marked_by, mark, same_template

WANTED: Obj = {
    "metadata": {"name": "demo-postgres"},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "postgres",
                        "image": "postgres:16",
                        "args": ["-c", "work_mem=8MB"],
                        "env": [{"name": "A", "value": ""}],
                        "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": 2}},
                    }
                ],
                "tolerations": [{"key": "spot", "operator": "Exists"}],
                "affinity": {"podAffinity": {"namespaces": []}},
            }
        }
    },
}


def live() -> Obj:
    """As an API server would have it, with a container that somebody added."""
    made = copy.deepcopy(WANTED)
    spec = made["spec"]["template"]["spec"]
    [container] = spec["containers"]
    container |= {"terminationMessagePath": "/dev/termination-log", "env": [{"name": "A"}]}
    container["resources"] = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "2"}}
    spec["containers"] = [{"name": "added", "image": "example.org/added:1"}, container]
    spec |= {"dnsPolicy": "ClusterFirst", "affinity": {"podAffinity": {}}}
    return made


def test_defaults_other_words_for_a_number_and_additions_of_others_make_no_difference() -> None:
    assert same_template(WANTED, live())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", "postgres:17"),
        ("args", ["-c", "work_mem=9MB"]),
        ("args", ["-c"]),
        ("env", [{"name": "B", "value": "b"}]),
        ("resources", {"requests": {"cpu": "0.6"}}),
        ("name", "other"),
    ],
)
def test_another_value_makes_one(field: str, value: object) -> None:
    changed = copy.deepcopy(WANTED)
    changed["spec"]["template"]["spec"]["containers"][0][field] = value

    assert not same_template(changed, live())


def test_another_toleration_makes_one() -> None:
    changed = copy.deepcopy(WANTED)
    changed["spec"]["template"]["spec"]["tolerations"].append({"operator": "Exists"})

    assert not same_template(changed, live())


def test_a_mark_tells_the_template_and_the_release() -> None:
    marked, other = mark(WANTED, "0.1.0"), copy.deepcopy(WANTED)
    other["spec"]["template"]["spec"].pop("tolerations")

    assert asks_for(marked) == asks_for(mark(WANTED, "0.2.0")) != asks_for(mark(other, "0.1.0"))
    assert is_marked_by(marked, "0.1.0")
    assert not is_marked_by(marked, "0.2.0")
    assert "annotations" not in WANTED["metadata"]
    assert asks_for(WANTED) == ""
