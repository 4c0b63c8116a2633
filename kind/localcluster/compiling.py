"""Compiles Go programs into the cache."""

import os
import shutil
from pathlib import Path

from localcluster.commands import run
from localcluster.errors import CommandFailedError, ProgramsMissingError
from localcluster.lock import only_one
from localcluster.paths import cache
from localcluster.programs import GET_GO, NODE, Programs, go_is_new_enough
from localcluster.progress import Progress, Step
from localcluster.streaming import stream

BUILD_SECONDS = 3600.0
NO_DEBUGGING = ("-gcflags=all=-dwarf=false",)
"""Tables for a debugger, which the linker would throw away: a tenth of the compiler's time."""
SMALLEST_SHARE, LARGEST_SHARE = 2 * 1024**3, 4 * 1024**3
"""Of the memory, for one compiler: less is not enough for the linker, more is hardly used."""


def ensure(progress: Progress, programs: Programs = NODE) -> None:
    """Build the programs; takes no time when they are there.

    Raises:
        ProgramsMissingError: there is no Go toolchain, or one that is too old.
        CommandFailedError: the build failed; the log is named.
        CannotRunError: another process is building.
    """
    if programs.built:
        return
    require_go()
    with only_one(cache() / "build.lock"), progress.step(f"Build {programs.title}") as step:
        _build(programs, step)


def require_go() -> None:
    """Check the Go toolchain.

    Raises:
        ProgramsMissingError: there is none, or it is too old.
    """
    try:
        version, toolchain = run(["go", "env", "GOVERSION", "GOTOOLCHAIN"], remedy=GET_GO).splitlines()
    except CommandFailedError as error:
        raise ProgramsMissingError("Go builds the programs of the node, and was not found", GET_GO) from error
    if not go_is_new_enough(version, toolchain):
        raise ProgramsMissingError(f"{version} is too old to build the programs of the node", GET_GO)


def _build(programs: Programs, step: Step) -> None:
    partial = programs.folder.with_name(f".{programs.folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "bin").mkdir(parents=True)
    log = cache() / f"{programs.name}-build.log"
    counting, environment = _Counting(step), _environment(partial)
    for words in commands(programs, partial / "bin"):
        stream(words, log=log, step=counting, seconds=BUILD_SECONDS, env=environment)
    for name, target in programs.links.items():
        (partial / "bin" / name).symlink_to(target)
    partial.rename(programs.folder)  # complete or not there at all


def _environment(target: Path) -> dict[str, str]:
    # Without cgo the programs are the same with and without a C compiler on the machine.
    own = {"GOBIN": str(target / "bin"), "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
    return {**os.environ, **collector(available_bytes(), os.cpu_count() or 1), **own}


def available_bytes() -> int:
    """Return the memory that programs can have; nothing where that is not told."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def collector(available: int, cores: int) -> dict[str, str]:
    """Return variables that let a compiler collect garbage only when its share of the memory is full.

    It saves a quarter of the processor time. There are as many compilers as cores; half of the memory is left alone.
    """
    share = min(available // (2 * cores), LARGEST_SHARE)
    return {"GOGC": "off", "GOMEMLIMIT": str(share)} if share >= SMALLEST_SHARE else {}


def commands(programs: Programs, target: Path) -> list[list[str]]:
    """Return what compiles, one after the other, at low priority: whoever waits for the network goes first."""
    go, flags = ["nice", "-n", "10", "go"], ["-v", "-trimpath", *NO_DEBUGGING, "-ldflags", programs.ldflags]
    if programs.source is None:
        return [[*go, "install", *flags, *(f"{package}@{programs.version}" for package in programs.packages)]]
    where = ["-C", str(programs.source), "-o", f"{target}/"]
    options = ["-mod=readonly", "-tags", "grpcnotrace", *flags]
    return [[*go, "build", *where, *options, *packages] for packages in (programs.packages, programs.apart) if packages]


class _Counting:
    """Turns the compiler's lines, a package each, into how many are done."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._compiled = 0

    def say(self, detail: str) -> None:
        """Show where the build stands."""
        if detail.startswith("go: downloading"):
            self._step.say(f"download {detail.split()[2]}")
        elif not detail.startswith("go:"):
            self._compiled += 1
            self._step.say(f"{self._compiled} packages compiled, now {detail}")

    def stopped(self) -> bool:
        """Say whether the build is no longer wanted."""
        return self._step.stopped()
