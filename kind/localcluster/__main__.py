"""The command line: `python -m localcluster COMMAND`."""

import json
import shutil
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from localcluster import compiling, facts, images, programs
from localcluster.choose import choose
from localcluster.deploy import Images, deploy, memories
from localcluster.errors import CannotRunError, LocalClusterError
from localcluster.progress import Progress
from localcluster.provider import Provider
from localcluster.providers import make
from localcluster.together import both
from localcluster.tools import Tools
from localimages import kafka_jars
from localimages.build import Built, build_all

app = typer.Typer(
    help="A Kubernetes cluster on this machine: kind on Docker, or a real node without Docker.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Archives = Annotated[list[Path], typer.Argument(help="Image archives, as `podman save` writes them", exists=True)]
Output = Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="How to print")]


def _provider(*, quiet: bool = False) -> Provider:
    choice = choose(facts.gather())
    if not quiet:
        print(choice, flush=True)
    return make(choice)


@app.command()
def up(cluster_only: Annotated[bool, typer.Option("--cluster-only", help="Deploy nothing")] = False) -> None:
    """Make a cluster, and deploy the example onto it."""
    progress, cluster = Progress(), _provider()
    if cluster_only:
        cluster.up(progress)
        return
    docker = cluster.name == "docker"  # a node without it can pull no official image, so its stores are ours
    _, built = both(progress, lambda: cluster.up(progress), lambda: build_all(progress, docker=docker))
    tools = Tools(cluster.kubeconfig(), cluster.programs())
    deploy(cluster, tools, Images.of(built), progress.note)


@app.command()
def down() -> None:
    """Remove the cluster and everything in it; the cache of built programs stays."""
    _provider().down(Progress())


@app.command()
def status(output: Output = "text") -> None:
    """Say how the cluster and its SomaMemories stand."""
    cluster = _provider(quiet=output == "json")
    found = cluster.status()
    if output == "json":
        print(json.dumps(asdict(found)))
        return
    print(f"State: {found.state}")
    if found.kubeconfig:
        print(f"Kubeconfig: {found.kubeconfig}")
    for name, detail in found.details.items():
        print(f"  {name:<26}{detail}")
    if found.state == "up":
        print(f"\n{memories(Tools(cluster.kubeconfig(), cluster.programs()))}")


@app.command()
def load(archives: Archives) -> None:
    """Bring image archives onto the nodes; an image that is there by name is skipped."""
    provider = _provider()
    provider.load({name: archive for archive in archives for name in images.names_in(archive)}, Progress().note)


@app.command()
def kubeconfig() -> None:
    """Print the path of the kubeconfig."""
    print(_existing(_provider(quiet=True).kubeconfig()))


@app.command("audit-log")
def audit_log() -> None:
    """Print the path of the API server's audit log."""
    print(_existing(_provider(quiet=True).audit_log()))


@app.command("kubectl-path")
def kubectl_path() -> None:
    """Print the folder that holds kubectl and helm."""
    found = shutil.which("kubectl")
    folder = _provider(quiet=True).programs() or (Path(found).parent if found else None)
    if folder is None:
        raise CannotRunError("kubectl is not installed", "https://kubernetes.io/docs/tasks/tools/")
    print(_existing(folder))


@app.command("programs")
def build_programs() -> None:
    """Build the programs of the node without Docker, and print their folder."""
    compiling.ensure(Progress())
    print(programs.bin_folder())


@app.command()
def prepare() -> None:
    """Build and fetch all that tests, clusters and images need; start nothing."""
    progress = Progress()
    both(progress, lambda: compiling.ensure(progress), lambda: _images_and_jars(progress))


def _images_and_jars(progress: Progress) -> dict[str, Built]:
    kafka_jars.ensure(progress)
    return build_all(progress)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise CannotRunError(f"{path} is not there: no cluster runs", "make up")
    return path


def main() -> int:
    """Run one command; a problem is one sentence and the next step, not a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started has to be ended first
    try:
        app(standalone_mode=True)
    except LocalClusterError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
