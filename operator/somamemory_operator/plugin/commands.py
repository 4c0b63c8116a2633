"""Look at a SomaMemory, and do with it what people do: `kubectl soma`, or `kubectl-soma` by itself.

Everything is done by kubectl, with your rights and your context. NAME may be left out where a namespace has only one.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from somamemory_operator.__main__ import render
from somamemory_operator.model import names
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.plugin import report as reports
from somamemory_operator.plugin.connection import Connected, connected
from somamemory_operator.plugin.kubectl import Kubectl, KubectlFailed
from somamemory_operator.plugin.summary import summary, tree

DUMP_SECONDS = 6 * 3600.0
PARTS = tuple(part.value for part in (Component.API, Component.CONSUMER, *STORES))

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command()(render)

Name = Annotated[str, typer.Argument(help="The SomaMemory; may be left out where there is only one.")]
Part = Annotated[list[str] | None, typer.Argument(help=f"{', '.join(PARTS)}; API and consumer when left out.")]
Output = Annotated[str, typer.Option("--output", "-o", help="json for machines.")]


@app.callback()
def chosen(
    context: typer.Context,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where it is; kubectl's own when left out.")] = "",
    kube_context: Annotated[str, typer.Option("--context", help="A context of the kubeconfig.")] = "",
    kubeconfig: Annotated[str, typer.Option("--kubeconfig", help="Another kubeconfig.")] = "",
) -> None:
    context.obj = Kubectl(namespace, kube_context, kubeconfig)


@app.command()
def status(context: typer.Context, name: Name = "", output: Output = "") -> None:
    """Show how it stands, component by component, with reasons. Ends with 1 unless it is Ready."""
    with failing():
        told = summary(context.obj.memory(name))
    typer.echo(json.dumps(told, indent=2) if output == "json" else tree(told))
    if not told["ready"]:
        raise typer.Exit(1)


@app.command()
def restart(context: typer.Context, name: Name = "", parts: Part = None) -> None:
    """Restart components, one pod after another."""
    wrong = [part for part in parts or () if part not in PARTS]
    if wrong:
        _fail(f"{wrong[0]} is none of {', '.join(PARTS)}")
    with failing():
        memory = context.obj.memory(name)["metadata"]["name"]
        for part in parts or ("api", "consumer"):
            kind = "statefulset" if part in STORES else "deployment"
            typer.echo(context.obj.run("rollout", "restart", f"{kind}/{memory}-{part}").strip())


@app.command()
def hibernate(
    context: typer.Context,
    name: Name = "",
    allow_data_loss: Annotated[
        bool, typer.Option("--allow-data-loss", help="Also where memories are on no volume, and would be gone.")
    ] = False,
) -> None:
    """Scale everything to nothing; memories on volumes stay."""
    _patched(context, name, {"hibernated": True, **({"allowDataLoss": True} if allow_data_loss else {})})


@app.command()
def resume(context: typer.Context, name: Name = "") -> None:
    """Bring back what hibernates."""
    _patched(context, name, {"hibernated": False})


@app.command()
def backup(
    context: typer.Context,
    name: Name = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the dump, and print its name.")] = True,
) -> None:
    """Make one more dump of Postgres now, besides those of the schedule (`spec.backup`)."""
    kubectl: Kubectl = context.obj
    with failing():
        found = kubectl.memory(name)
        memory = found["metadata"]["name"]
        if "backup" not in (found.get("spec") or {}):
            _fail(f"{memory} makes no dumps: set spec.backup, such as `backup: {{}}`")
        job = f"{memory}-dump-{datetime.now(UTC):%Y%m%d%H%M%S}"
        kubectl.run("create", "job", job, f"--from=cronjob/{names.child(memory, Component.BACKUP)}")
        if not wait:
            typer.echo(f"job/{job}")
            return
        typer.echo(f"job/{job} makes the dump", err=True)
        _until_ended(kubectl, job)
        typer.echo(kubectl.run("logs", f"job/{job}").strip())


@app.command()
def restore(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The SomaMemory.")],
    dump: Annotated[str, typer.Argument(help="Name of the dump, such as soma-20260131T020000Z.dump.")],
    replace_existing: Annotated[
        bool, typer.Option("--replace-existing", help="Also where there are memories, which it replaces.")
    ] = False,
) -> None:
    """Bring a dump of the backup volume back. The condition Restored tells how it goes."""
    with failing():
        before = (context.obj.memory(name).get("spec") or {}).get("restore") or {}
    run = before.get("run", 1) + 1 if before.get("from") == dump else 1
    _patched(context, name, {"restore": {"from": dump, "replaceExisting": replace_existing, "run": run}})


@app.command()
def logs(
    context: typer.Context,
    part: Annotated[str, typer.Argument(help=f"One of {', '.join(PARTS)}.")],
    name: Name = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on.")] = False,
    tail: Annotated[int, typer.Option("--tail", help="Lines of each pod; -1: all.")] = 100,
) -> None:
    """Show what the pods of a component say."""
    if part not in PARTS:
        _fail(f"{part} is none of {', '.join(PARTS)}")
    with failing():
        memory = context.obj.memory(name)["metadata"]["name"]
    selector = names.selector_string(memory, Component(part))
    words = ["logs", f"--selector={selector}", "--all-containers", "--prefix", f"--tail={tail}"]
    raise typer.Exit(context.obj.follow([*words, "--follow"] if follow else words))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def connect(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The SomaMemory.")],
    port: Annotated[int, typer.Option("--port", help="Port on this machine; a free one when left out.")] = 0,
) -> None:
    """Lead a port of this machine to the API, for a command (`connect NAME -- soma stats`) or until Ctrl+C.

    The command finds SOMA_API_URL, SOMA_API_TOKEN and, where the API speaks TLS, SOMA_API_CA in its environment.
    """
    with failing(), connected(context.obj, context.obj.memory(name), port) as there:
        if not context.args:
            _hold(there)
            return
        ended = subprocess.run(context.args, env=os.environ | there.environment(), check=False).returncode
    raise typer.Exit(ended)


@app.command()
def report(
    context: typer.Context,
    name: Name = "",
    file: Annotated[Path | None, typer.Option("--file", help="Where to; NAME-report.tar.gz when left out.")] = None,
) -> None:
    """Write one archive for whoever is to help: resource, children, events, logs; of Secrets the names of keys only."""
    with failing():
        memory = context.obj.memory(name)["metadata"]["name"]
        target = file or Path(f"{memory}-report.tar.gz")
        held = reports.write(context.obj, memory, target)
    typer.echo(f"{target}: {len(held)} files. Read it before you send it: programs may have written anything to logs.")


@contextmanager
def failing() -> Iterator[None]:
    """What kubectl or this machine refuses ends the command with its words."""
    try:
        yield
    except (KubectlFailed, OSError) as error:
        _fail(str(error))


def _patched(context: typer.Context, name: str, spec: dict[str, object]) -> None:
    with failing():
        memory = context.obj.memory(name)["metadata"]["name"]
        context.obj.patch(memory, spec)
    typer.echo(f"somamemory/{memory} changed: `kubectl soma status {memory}` shows how it goes.")


def _until_ended(kubectl: Kubectl, job: str) -> None:
    """Raises KubectlFailed when the Job fails."""
    kubectl.run("wait", f"job/{job}", "--for=create", "--timeout=30s")
    said = 'jsonpath={.status.conditions[?(@.status=="True")].type}'
    kubectl.run("wait", f"job/{job}", f"--for={said}", f"--timeout={DUMP_SECONDS:.0f}s", seconds=DUMP_SECONDS + 10)
    # It is decided before it is counted: SuccessCriteriaMet or FailureTarget come first.
    if any(word.startswith("Fail") for word in kubectl.run("get", f"job/{job}", f"--output={said}").split()):
        raise KubectlFailed(f"the dump has failed: `kubectl logs job/{job}` says why")
    kubectl.run("wait", f"job/{job}", "--for=condition=Complete", "--timeout=50s")


def _hold(there: Connected) -> None:
    typer.echo(f"export SOMA_API_URL={there.url}")
    if there.ca is not None:
        typer.echo(f"export SOMA_API_CA={there.ca}")
    typer.echo(f'export SOMA_API_TOKEN="$({there.token_command})"')
    typer.echo("Ctrl+C ends it.", err=True)
    there.wait()


def _fail(message: str) -> None:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


def main() -> None:
    """The entry point of the distribution."""
    app()
