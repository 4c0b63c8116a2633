"""The command line of the operator: `run` it, `render` what it would apply, print its `crd`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
import yaml

from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.decide.credentials import credentials, random_value
from somamemory_operator.decide.tls.certificates import certificates
from somamemory_operator.decide.tls.mint import X509Mint
from somamemory_operator.manifests import build
from somamemory_operator.model.errors import InvalidSpec
from somamemory_operator.model.names import KIND
from somamemory_operator.model.observed import Obj, World
from somamemory_operator.resource import crd, yaml_text
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def run() -> None:
    """Look after the SomaMemories of a cluster, until stopped. Settings come from SOMAMEMORY_… variables."""
    from somamemory_operator.process.kopf_listener import run as run_operator  # noqa: PLC0415 - loads Kopf and the client, 80 MiB

    run_operator()


@app.command()
def render(
    file: Annotated[Path, typer.Argument(help="YAML with one or more SomaMemories; - reads standard input.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="For those that name none.")] = "default",
) -> None:
    """Print the raw manifests of every SomaMemory in FILE, without a cluster and so with fresh credentials."""
    text = sys.stdin.read() if str(file) == "-" else file.read_text()
    memories = [document for document in yaml.safe_load_all(text) if (document or {}).get("kind") == KIND]
    if not memories:
        _fail(f"{file} holds no {KIND}: give a file with `kind: {KIND}`, such as kind/examples/somamemory.yaml.")
    try:
        objects = [obj for document in memories for obj in _rendered(document, namespace)]
    except InvalidSpec as error:
        _fail(error.message)
    print(yaml_text.dump_all(objects), end="")


@app.command(name="crd")
def print_crd(
    helm: Annotated[bool, typer.Option("--helm", help="As the template of the operator's chart.")] = False,
) -> None:
    """Print the CustomResourceDefinition, ready for kubectl apply."""
    print(crd.as_helm_template() if helm else crd.as_yaml(), end="")


def _rendered(document: Obj, namespace: str) -> list[Obj]:
    metadata = {"namespace": namespace} | document["metadata"]
    memory, world, settings = SomaMemory.parse(document | {"metadata": metadata}), World(), Settings()
    if (refusal := first_refusal(memory, world, settings)) is not None:
        raise InvalidSpec(refusal.reason, refusal.message)
    found = credentials(world, memory, random_value)
    made = {key: value or random_value(key) for key, value in found.values.items()}
    shown = certificates(world, memory, X509Mint())
    desired = build(memory, settings, world, replace(found, values=made), certificates=shown)
    return [wanted.obj for wanted in desired]


def _fail(message: str) -> None:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


def main() -> None:
    """The entry point of the distribution."""
    app()


if __name__ == "__main__":
    main()
