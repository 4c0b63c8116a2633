"""`python -m localimages build [NAME…] | list [-o json]`."""

import json
import sys
from typing import Annotated

import typer

from localcluster.errors import LocalClusterError
from localcluster.paths import cache
from localcluster.progress import Progress
from localimages.build import build_all
from localimages.builders import Docker, find_builder
from localimages.plan import plan_all

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The container images of the local cluster.")


@app.command()
def build(names: Annotated[list[str] | None, typer.Argument(help="Which; all without one.")] = None) -> None:
    """Build what is missing or has changed, and print where it is."""
    try:
        built = build_all(Progress(), names or None)
    except (LocalClusterError, ValueError) as error:
        sys.exit(f"Error: {error}")
    for image in built.values():
        print(f"{image.reference}  {image.archive}")


@app.command(name="list")
def list_images(output: Annotated[str, typer.Option("--output", "-o", help="text or json")] = "text") -> None:
    """Print name, reference and archive of each image as it would be built now; builds nothing."""
    try:
        docker = isinstance(find_builder({}), Docker)
    except LocalClusterError as error:
        sys.exit(f"Error: {error}")
    found = [
        {
            "name": plan.image.name,
            "reference": plan.reference,
            "archive": str(plan.archive),
            "built": plan.archive.exists(),
        }
        for plan in plan_all(cache() / "images", docker=docker)
    ]
    if output == "json":
        print(json.dumps(found, indent=2))
        return
    for image in found:
        print(f"{image['name']:12} {'built  ' if image['built'] else 'missing'} {image['reference']}")


if __name__ == "__main__":
    app()
