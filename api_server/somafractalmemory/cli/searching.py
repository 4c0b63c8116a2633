"""Commands that find memories."""

import itertools
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from somafractalmemory.cli.commanding import Session, command
from somafractalmemory.cli.reading import json_object
from somafractalmemory.cli.showing import Grid, Shown, brief, moment, one_line, place
from somafractalmemory.client import Answer
from somafractalmemory.model import SYSTEM_FIELDS, MemoryType
from somafractalmemory.model.wording import Mode

Query = Annotated[str, typer.Option("--query", help="What to remember.")]
TopK = Annotated[int, typer.Option("--top-k", min=1, max=1000, help="How many at most.")]
Type = Annotated[MemoryType | None, typer.Option("--type", help="Only this type.")]
Filters = Annotated[str | None, typer.Option("--filters", help="A JSON object of payload fields that must be equal.")]
Terms = Annotated[list[str] | None, typer.Option("--term", help="May be repeated; else taken from the query.")]
Boost = Annotated[float, typer.Option("--boost", min=0, max=10, help="What terms add to a score.")]
Exact = Annotated[bool, typer.Option("--exact/--substring", help="Terms are whole words, or any characters in a row.")]
CaseSensitive = Annotated[bool, typer.Option("--case-sensitive", help="A is not a.")]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    command(app, "recall", example='soma recall --query "what do cats do" --top-k 3 --type semantic')(recall)
    command(app, "recall-batch", example='soma recall-batch --query "cats" --query "dogs" --top-k 1')(recall_batch)
    command(app, "hybrid", example='soma hybrid --query "cats at night" --term purr --boost 2')(hybrid)
    command(app, "explain", example='soma explain --query "what do cats do" --term purr')(explain)
    command(app, "keyword-search", example="soma keyword-search --term purr --mode word")(keyword_search)
    command(app, "range", example="soma range --min 0,0,0 --max 5,5,5")(places)
    command(app, "list", example="soma list --type semantic --limit 20")(listed)


def recall(
    session: Session,
    query: Query,
    top_k: TopK = 5,
    kind: Type = None,
    filters: Filters = None,
    context: Annotated[
        str | None, typer.Option("--context", help="A JSON object: what resembles it as well comes first.")
    ] = None,
    hybrid: Annotated[
        bool | None, typer.Option("--hybrid/--vectors-only", help="Look for the query's terms too, or not at words.")
    ] = None,
) -> Shown:
    """Find the memories that fit a query best."""
    conditions = _conditions(top_k, kind, filters)
    if context is not None:
        answer = session.client.recall_with_context(query, json_object(context, "--context"), **conditions)
        return _memories(session.checked(answer))
    return _scored(session.checked(session.client.recall(query, hybrid=hybrid, **conditions)))


def recall_batch(
    session: Session,
    query: Annotated[list[str], typer.Option("--query", help="May be repeated.")],
    top_k: TopK = 5,
    kind: Type = None,
    filters: Filters = None,
) -> Shown:
    """Find the memories that fit each of many queries best, in one request."""
    answer = session.checked(session.client.recall_batch(query, **_conditions(top_k, kind, filters)))
    rows = [
        (asked, place(memory["coordinate"]), memory["memory_type"], _own(memory))
        for asked, batch in zip(query, answer["batches"], strict=True)
        for memory in batch
    ]
    return Shown(answer, one_line(answer["batches"]), Grid(("QUERY", "COORDINATE", "TYPE", "PAYLOAD"), rows))


def hybrid(
    session: Session,
    query: Query,
    term: Terms = None,
    boost: Boost = 2.0,
    top_k: TopK = 5,
    kind: Type = None,
    filters: Filters = None,
    exact: Exact = True,
    case_sensitive: CaseSensitive = False,
) -> Shown:
    """Find memories by meaning and by terms."""
    conditions = _conditions(top_k, kind, filters)
    answer = session.client.hybrid(
        query, terms=term or None, boost=boost, exact=exact, case_sensitive=case_sensitive, **conditions
    )
    return _scored(session.checked(answer))


def explain(
    session: Session,
    query: Query,
    term: Terms = None,
    top_k: TopK = 5,
    kind: Type = None,
    filters: Filters = None,
) -> Shown:
    """Recall, with the parts that add up to each score."""
    answer = session.checked(session.client.explain(query, terms=term or None, **_conditions(top_k, kind, filters)))
    names = list(dict.fromkeys(name for result in answer["results"] for name in result["parts"]))
    rows = [
        (
            place(result["payload"]["coordinate"]),
            f"{result['score']:.4f}",
            *(f"{result['parts'].get(name, 0.0):.4f}" for name in names),
            _own(result["payload"]),
        )
        for result in answer["results"]
    ]
    columns = ("COORDINATE", "SCORE", *(name.upper() for name in names), "PAYLOAD")
    return Shown(answer, one_line(answer["results"]), Grid(columns, rows))


def keyword_search(
    session: Session,
    term: Annotated[str, typer.Option("--term", help="What to look for.")],
    mode: Annotated[
        Mode, typer.Option("--mode", help="Whole words in order, words anywhere, or any characters.")
    ] = Mode.PHRASE,
    case_sensitive: CaseSensitive = False,
    top_k: TopK = 50,
    kind: Type = None,
) -> Shown:
    """Find the memories whose values contain a term, last changed first."""
    conditions = {"top_k": top_k, "type": kind and kind.value}
    answer = session.client.keyword_search(term, mode=mode.value, case_sensitive=case_sensitive, **conditions)
    return _memories(session.checked(answer))


def places(
    session: Session,
    low: Annotated[str, typer.Option("--min", help="The corner with the smallest numbers.")],
    high: Annotated[str, typer.Option("--max", help="The corner with the largest numbers.")],
    kind: Type = None,
) -> Shown:
    """List the coordinates in a box, both corners included."""
    found = list(session.client.places_within(low, high, memory_type=kind and kind.value))
    return Shown({"coords": found}, one_line(found), Grid(("COORDINATE",), [(place(at),) for at in found]))


def listed(
    session: Session,
    kind: Type = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many at most; 0: all.")] = 100,
    after: Annotated[str | None, typer.Option("--after", help="Go on behind this coordinate.")] = None,
) -> Shown:
    """List memories in the order of their coordinates."""
    memories = session.client.memories(memory_type=kind and kind.value, after=after)
    return listing(list(itertools.islice(memories, limit or None)))


def listing(found: Sequence[Answer]) -> Shown:
    """Memories with their payloads apart."""
    rows = [
        (
            place(each["coordinate"]),
            each["memory_type"],
            moment(each["timestamp"]),
            str(each["version"]),
            brief(each["payload"]),
        )
        for each in found
    ]
    columns = ("COORDINATE", "TYPE", "TIME", "VERSION", "PAYLOAD")
    return Shown({"memories": found}, one_line(found), Grid(columns, rows, "no memories here"))


def _conditions(top_k: int, kind: MemoryType | None, filters: str | None) -> dict[str, Any]:
    given = None if filters is None else json_object(filters, "--filters")
    return {"top_k": top_k, "type": kind and kind.value, "filters": given}


def _scored(answer: Answer) -> Shown:
    results: Sequence[Answer] = answer["results"]
    rows = [
        (
            place(memory["coordinate"]),
            f"{result['score']:.4f}",
            memory["memory_type"],
            moment(memory.get("timestamp")),
            _own(memory),
        )
        for result in results
        for memory in [result["payload"]]
    ]
    plain = one_line([result["payload"] for result in results])
    return Shown(answer, plain, Grid(("COORDINATE", "SCORE", "TYPE", "TIME", "PAYLOAD"), rows))


def _memories(answer: Answer) -> Shown:
    rows = [
        (place(memory["coordinate"]), memory["memory_type"], moment(memory.get("timestamp")), _own(memory))
        for memory in answer["results"]
    ]
    return Shown(answer, one_line(answer["results"]), Grid(("COORDINATE", "TYPE", "TIME", "PAYLOAD"), rows))


def _own(memory: Answer) -> str:
    """The caller's part of a memory."""
    return brief({name: value for name, value in memory.items() if name not in SYSTEM_FIELDS})
