"""What ties the documentation and the package together."""

import re
from pathlib import Path

from somamemory_operator.model.reasons import Reason
from somamemory_operator.status.components import TROUBLED

ROOT = Path(__file__).parents[3]


def test_every_reason_is_documented_with_cause_and_remedy() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs/conditions.md").read_text(), re.MULTILINE)

    assert sorted(reason for reason, _, _ in rows) == sorted(reason.value for reason in Reason)
    assert all(cause.endswith(".") and remedy.endswith((".", "`.")) for _, cause, remedy in rows)


def test_every_reason_is_used() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "operator/somamemory_operator").rglob("*.py"))

    unused = [reason.name for reason in Reason if f"Reason.{reason.name}" not in sources]

    assert unused == []


def test_trouble_is_never_well() -> None:
    assert Reason.READY not in TROUBLED


def test_the_source_folders_are_no_packages() -> None:
    """With an __init__.py `operator/` would hide the standard library's module of that name."""
    assert not (ROOT / "operator/__init__.py").exists()
    assert not (ROOT / "api_server/__init__.py").exists()
