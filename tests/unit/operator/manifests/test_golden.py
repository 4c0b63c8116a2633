"""Golden manifests: `<case>.in.yaml` is a SomaMemory, `<case>.out.yaml` all that is deployed for it.

`pytest tests/unit/operator/manifests/test_golden.py --update-golden` writes the results anew; review them as a diff.
"""

from pathlib import Path

import pytest
import yaml

from somamemory_operator.decide.credentials import credentials
from somamemory_operator.decide.tls.certificates import certificates
from somamemory_operator.decide.tls.mint import X509Mint
from somamemory_operator.manifests import build
from somamemory_operator.model.observed import Obj, World, encoded
from somamemory_operator.resource import yaml_text
from somamemory_operator.resource.somamemory import SomaMemory
from tests.unit.operator.fakes import SETTINGS, made

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.name.removesuffix(".in.yaml") for path in GOLDEN.glob("*.in.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_manifests_are_as_reviewed(case: str, request: pytest.FixtureRequest) -> None:
    expected = GOLDEN / f"{case}.out.yaml"
    actual = rendered(yaml.safe_load((GOLDEN / f"{case}.in.yaml").read_text()))
    if request.config.getoption("--update-golden", default=False):
        expected.write_text(actual)

    assert expected.read_text() == actual, "review the change, then run pytest with --update-golden"


def rendered(document: dict[str, object]) -> str:
    memory, world = SomaMemory.parse(document), World()
    shown = certificates(world, memory, X509Mint())
    desired = build(memory, SETTINGS, world, credentials(world, memory, made), certificates=shown)
    return yaml_text.dump_all(without_certificates(wanted.obj) for wanted in desired)


def without_certificates(obj: Obj) -> Obj:
    """Certificates are others each time; their files are shown, not what is in them."""
    if not obj["metadata"]["name"].endswith(("-authority", "-certificate", "-ca")):
        return obj
    return obj | {"data": dict.fromkeys(obj["data"], encoded("made-up") if obj["kind"] == "Secret" else "made-up")}
