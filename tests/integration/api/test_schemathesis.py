"""Schemathesis asks the running service whatever its OpenAPI document allows, and what it forbids."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.api.programs import TOKEN, Stack

FILES = Path(__file__).parent / "schemathesis"


@pytest.mark.timeout(600)
def test_schemathesis_finds_nothing(stack: Stack, tmp_path: Path) -> None:
    """All checks in all phases, stateful ones along the document's links among them. (http defect 2)"""
    for file in FILES.glob("*.*"):
        shutil.copy(file, tmp_path)
    for coord in ("1,2,3", "4,5,6"):
        assert stack.store(coord, fact="cats purr").status_code == 200

    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{stack.api.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {TOKEN}", "--checks", "all"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "20", "--seed", "7"),
            *("--no-shrink", "--continue-on-failure", "--request-timeout", "30"),
        ],
        cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "No test cases were generated" not in done.stdout
    assert stack.http.get("/readyz").status_code == 200
    assert "unexpected_error" not in stack.api.text
