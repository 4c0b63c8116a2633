"""The first process in the namespaces of a bare root: makes the root its own, and becomes the script that runs there.

Run as `python -m barehost.entry PLAN` in fresh mount and process namespaces.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcluster.commands import run
from localcluster.errors import CannotRunError, LocalClusterError

OLD = ".old"


def main(plan_path: Path) -> None:
    """Mount everything, change the root, and run the script in place of this program.

    Raises:
        CannotRunError: this is not the first process of its namespace; the host's root must never be changed.
        CommandFailedError: a mount failed.
    """
    if os.getpid() != 1:
        raise CannotRunError("A bare root is entered in a namespace of its own only", "make bare-up")
    plan = json.loads(plan_path.read_text())
    root = Path(plan["root"])
    run(["mount", "--bind", root, root])  # the new root has to be a mount
    for mount in plan["mounts"]:
        _mount(root, mount)
    (root / OLD).mkdir(exist_ok=True)
    # Not a mere chroot: the kernel's lists of mounts would show the host's, and layered file systems would miss theirs.
    run(["pivot_root", root, root / OLD])
    os.chdir("/")
    run(["umount", "--lazy", f"/{OLD}"], env={"PATH": plan["environment"]["PATH"]})
    os.execve("/bin/bash", ["bash", "-c", plan["script"]], plan["environment"])  # noqa: S606 # nosec B606


def _mount(root: Path, mount: Mapping[str, Any]) -> None:
    target = root / mount["target"].lstrip("/")
    target.mkdir(parents=True, exist_ok=True)
    if not mount["source"]:
        run(["mount", "-t", mount["kind"], mount["kind"], target])
        return
    run(["mount", f"--{mount['kind']}", mount["source"], target])
    if mount["read_only"]:
        run(["mount", "-o", "remount,bind,ro", target])


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except LocalClusterError as error:
        sys.exit(f"Error: {error}")
