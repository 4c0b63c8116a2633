"""What containers are told to run reaches them as it is written."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.unit.operator.manifests.test_golden import CASES, GOLDEN


@pytest.mark.parametrize("case", CASES)
def test_kubernetes_changes_no_command(case: str) -> None:
    """It makes one dollar of two, and the value of a variable of $(NAME), also within a script for a shell."""
    for container in containers(list(yaml.safe_load_all((GOLDEN / f"{case}.out.yaml").read_text()))):
        variables = {variable["name"] for variable in container.get("env", ())}
        for word in (*container.get("command", ()), *container.get("args", ())):
            assert "$$" not in word
            assert not variables & set(re.findall(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)", word))


def containers(value: Any) -> Iterator[dict[str, Any]]:
    """Every container in manifests, wherever it is."""
    if isinstance(value, dict):
        yield from value.get("containers") or ()
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from containers(each)
