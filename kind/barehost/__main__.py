"""`python -m barehost`: make a bare Debian, bring SomaMemory up and down in it, and remove it."""

import json
import shutil
import signal
import sys
from pathlib import Path

from barehost import host, plan
from localcluster.commands import run
from localcluster.deploy import RECALLED
from localcluster.errors import CannotRunError, LocalClusterError, StartFailedError
from localcluster.host import sweep
from localcluster.layout import Layout
from localcluster.lock import only_one
from localcluster.paths import KIND, cache
from localcluster.processes import find
from localcluster.progress import Progress
from localcluster.streaming import stream

FOLDER_NAME = "bare-host"
MAKE_SECONDS = 900.0
WHOLE_SECONDS = 3600.0
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


class Echo:
    """Prints every line, and remembers whether a memory was recalled."""

    def __init__(self) -> None:
        self.recalled = False

    def say(self, detail: str) -> None:
        """Print one line."""
        self.recalled = self.recalled or detail.startswith(RECALLED)
        print(f"| {detail}", flush=True)

    def stopped(self) -> bool:
        """Say no: nothing runs beside it."""
        return False


def main() -> int:
    """Run once; however it ends, the root goes away."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = cache() / FOLDER_NAME
    try:
        with only_one(cache() / "bare-host.lock"):
            if find(Layout().plan)[0]:
                raise CannotRunError("A node runs on this host, and the bare one needs its addresses", "make down")
            remove(folder)  # of a run that was killed
            try:
                _run(folder)
            finally:
                sweep()
                remove(folder)
    except LocalClusterError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: the bare Debian is removed", file=sys.stderr)
        return 130
    print("A bare Debian went from `make up` to a recalled memory, and `make down` removed it")
    return 0


def _run(folder: Path) -> None:
    root, log = folder / "root", cache() / "bare-host.log"
    folder.mkdir(parents=True)
    taken = host.gather()
    with Progress().step(f"Make a bare Debian with {', '.join(plan.PACKAGES)} and Go") as step:
        settings = folder / "apt.conf"
        settings.write_text(host.apt_settings())
        stream(plan.debootstrap(root, taken, settings), log=log, step=step, seconds=MAKE_SECONDS)
        host.write_settings(root, folder / "settings", taken)
        run(["git", "-C", KIND.parent, "bundle", "create", "--quiet", root / plan.BUNDLE.lstrip("/"), "HEAD"])
    told = folder / "entry.json"
    told.write_text(json.dumps(plan.entry(root, taken)))
    echo = Echo()
    command = [*NAMESPACES, "env", f"PYTHONPATH={KIND}", sys.executable, "-m", "barehost.entry", str(told)]
    stream(command, log=log, step=echo, seconds=WHOLE_SECONDS)
    if not echo.recalled:
        raise StartFailedError("`make up` ended without a recalled memory", f"read {log}")


def remove(folder: Path) -> None:
    """Remove a root.

    Raises:
        CannotRunError: something of the host is mounted in it, and would be removed with it.
    """
    if inside := plan.mounted_in(folder, Path("/proc/self/mountinfo").read_text()):
        raise CannotRunError(f"{', '.join(inside)} is mounted", f"umount it, then rm -r {folder}")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
