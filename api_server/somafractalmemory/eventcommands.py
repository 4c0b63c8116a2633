"""`soma events`: what is on the topics, and applying it again."""

import orjson
import typer

from somafractalmemory.events import event_schema

app = typer.Typer(name="events", help="The topic of memory events and its dead letters.", no_args_is_help=True)


@app.command()
def schema() -> None:
    """Print the JSON Schema of an event."""
    typer.echo(schema_text())


def schema_text() -> str:
    """The document, the same in every environment."""
    return orjson.dumps(event_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
