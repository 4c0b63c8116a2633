"""The programs of a node without Docker, built from Go modules once and kept in the cache by content."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.commands import run
from localcluster.errors import CommandFailedError, ProgramsMissingError
from localcluster.lock import only_one
from localcluster.paths import KIND, cache, content_key
from localcluster.progress import Progress, Step

KUBERNETES_VERSION = "v1.34.4"
MODULE = KIND / "node" / "kubernetes"
OLDEST_GO = (1, 24)
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
GET_GO = "install Go 1.24 or newer from https://go.dev/dl/ (Debian 12's own golang is too old) and put it on PATH"
BUILD_SECONDS = 3600.0


@dataclass(frozen=True)
class Program:
    """One binary: either a module of ours (`source`) or `package` of somebody else's at `version`."""

    name: str
    version: str
    package: str = "."
    source: Path | None = None
    links: Sequence[str] = ()
    flags: Mapping[str, str] = field(default_factory=dict)

    @property
    def ldflags(self) -> str:
        """Return the linker's flags: no debug tables, and the variables that tell the version."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.flags.items())])

    @property
    def folder(self) -> Path:
        """Return the folder in the cache that holds exactly this program."""
        files = [self.source / name for name in ("go.mod", "go.sum", "main.go")] if self.source else []
        key = content_key(*files, self.package, self.version, self.ldflags, *self.links)
        return cache() / f"{self.name}-{key}"

    @property
    def binary(self) -> Path:
        """Return the program itself."""
        return self.folder / "bin" / self.name


def _kubernetes_flags(version: str) -> dict[str, str]:
    major, minor, _ = version.removeprefix("v").split(".")
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in values.items()}


LOCAL_PATH = Program("local-path-provisioner", "v0.0.30", "github.com/rancher/local-path-provisioner")
COREDNS = Program("coredns", "v1.14.7", "github.com/coredns/coredns")
HELM = Program(
    "helm", "v3.22.0", "helm.sh/helm/v3/cmd/helm", flags={"helm.sh/helm/v3/internal/version.version": "v3.22.0"}
)
KUBERNETES = Program(
    "kubernetes", KUBERNETES_VERSION, source=MODULE, links=PARTS, flags=_kubernetes_flags(KUBERNETES_VERSION)
)
KIND_PROGRAM = Program("kind", "v0.30.0", "sigs.k8s.io/kind")
ALL = (LOCAL_PATH, HELM, COREDNS, KUBERNETES)  # the small ones first: what fails, fails early


def bin_folder() -> Path:
    """Return the folder with every program of Kubernetes, helm included; it exists once `ensure` was called."""
    return KUBERNETES.folder / "bin"


def missing(programs: Sequence[Program] = ALL) -> list[Program]:
    """Return those that still have to be built."""
    return [program for program in programs if not program.binary.exists()]


def ensure(progress: Progress, programs: Sequence[Program] = ALL) -> None:
    """Build what is missing; takes no time when nothing is.

    Raises:
        ProgramsMissingError: there is no Go toolchain, or one that is too old.
        CommandFailedError: a build failed; the log is named.
        CannotRunError: another process is building.
    """
    wanted = missing(programs)
    if wanted:
        require_go()
        with only_one(cache() / "build.lock"):
            for number, program in enumerate(wanted, start=1):
                with progress.step(f"Build {program.name} {program.version} ({number} of {len(wanted)})") as step:
                    _build(program, step)
    if HELM.binary.exists() and bin_folder().exists():
        _link(bin_folder() / "helm", HELM.binary)


def require_go() -> None:
    """Check the Go toolchain.

    Raises:
        ProgramsMissingError: there is none, or it is too old.
    """
    try:
        answer = run(["go", "env", "GOVERSION"], remedy=GET_GO)
    except CommandFailedError as error:
        raise ProgramsMissingError(
            "Go is needed to build the programs of the node and was not found", GET_GO
        ) from error
    if not go_is_new_enough(answer):
        raise ProgramsMissingError(f"{answer.strip()} is too old to build Kubernetes {KUBERNETES_VERSION}", GET_GO)


def go_is_new_enough(version: str) -> bool:
    """Say whether the answer of `go env GOVERSION`, such as go1.26.8, can build everything here."""
    found = re.match(r"go(\d+)\.(\d+)", version.strip())
    return bool(found) and (int(found[1]), int(found[2])) >= OLDEST_GO if found else False


def _build(program: Program, step: Step) -> None:
    partial = program.folder.with_name(f".{program.folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "bin").mkdir(parents=True)
    _compile(program, partial, step)
    for name in program.links:
        (partial / "bin" / name).symlink_to(program.name)
    shutil.rmtree(program.folder, ignore_errors=True)
    partial.rename(program.folder)  # complete or not there at all


def _command(program: Program, target: Path) -> list[str]:
    flags = ["-v", "-trimpath", "-ldflags", program.ldflags]
    if program.source:
        out = str(target / "bin" / program.name)
        return [
            "go",
            "build",
            "-C",
            str(program.source),
            "-mod=readonly",
            *flags,
            "-tags",
            "grpcnotrace",
            "-o",
            out,
            ".",
        ]
    return ["go", "install", *flags, f"{program.package}@{program.version}"]


def _compile(program: Program, target: Path, step: Step) -> None:
    """Run the compiler at low priority, telling the packages that it has done; its output goes to a log, too."""
    log = cache() / f"{program.name}-build.log"
    env = {**os.environ, "GOBIN": str(target / "bin"), "GOFLAGS": "-buildvcs=false"}
    argv = ["nice", "-n", "10", *_command(program, target)]
    compiled = 0
    with (
        log.open("w") as copy,
        subprocess.Popen(argv, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as builder,
    ):
        for line in builder.stdout or ():
            copy.write(line)
            if line.startswith("go: downloading"):
                step.say(f"download {line.split()[2]}")
            elif not line.startswith("go:"):
                compiled += 1
                step.say(f"{compiled} packages compiled, now {line.strip()}")
        failed = builder.wait(BUILD_SECONDS) != 0
    if failed:
        tail = "\n  ".join(log.read_text().splitlines()[-10:])
        raise CommandFailedError(
            f"Building {program.name} failed:\n  {tail}", f"read {log}, then run the command again"
        )


def _link(path: Path, target: Path) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.rename(path)
