"""`python -m preflight TARGET`: install what may be installed, tell everything else that is missing, all at once."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

from localcluster.errors import LocalClusterError
from localcluster.paths import KIND
from preflight.expectation import expectation
from preflight.machine import look
from preflight.rules import Problem, problems
from preflight.targets import TARGETS

INSTALL_SECONDS = 900.0


def main(target_name: str) -> int:
    """Return 0 when the target can begin."""
    target = TARGETS[target_name]
    facts = look(target)
    installable = facts.missing_packages if facts.choice.root and facts.debian else ()
    found = problems(target, replace(facts, missing_packages=()) if installable else facts)
    if found:
        print(report(target_name, found), file=sys.stderr)
        return 1
    if text := expectation(facts, os.cpu_count() or 1):
        print(text, flush=True)
    return install(installable)


def report(target: str, found: Sequence[Problem]) -> str:
    """Return all problems, each with what to do."""
    lines = [f"  - {problem.what}\n    Next: {problem.remedy}" for problem in found]
    return "\n".join([f"`make {target}` cannot begin on this machine:", *lines])


def install(packages: Sequence[str]) -> int:
    """Install Debian's packages; return 0 when they are there."""
    if not packages:
        return 0
    command = ["bash", str(KIND / "packages.sh"), *packages]
    return subprocess.run(command, timeout=INSTALL_SECONDS, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except LocalClusterError as error:
        sys.exit(f"Error: {error}")
    except subprocess.TimeoutExpired:
        sys.exit(f"Error: installing packages took longer than {INSTALL_SECONDS:.0f} s")
