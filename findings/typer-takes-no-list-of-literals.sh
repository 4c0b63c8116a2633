#!/usr/bin/env bash
# typer 0.29.2
#
# The guess: an argument of several words out of a few is `list[Literal["a", "b"]]`, since `Literal["a", "b"]` is one.
# What is seen: one Literal works, a list of an Enum works, a list of Literals ends in an AssertionError when the command
#   is called, not when it is declared.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q typer==0.29.2
cat > "$folder/program.py" <<'PY'
from enum import Enum
from typing import Annotated, Literal

import typer
from typer.testing import CliRunner

Word = Literal["a", "b"]


class Letter(str, Enum):
    A = "a"
    B = "b"


def outcome(annotation, *words):
    app = typer.Typer()

    def command(given):
        print("taken")

    command.__annotations__ = {"given": annotation}
    app.command()(command)
    try:
        done = CliRunner().invoke(app, list(words))
    except AssertionError as error:
        return f"{type(error).__name__}: {error}"
    return "taken" if done.exit_code == 0 else "refused"


print("one Literal:", outcome(Annotated[Word, typer.Argument()], "a"))
print("a list of an Enum:", outcome(Annotated[list[Letter], typer.Argument()], "a", "b"))
print("a list of Literals:", outcome(Annotated[list[Word], typer.Argument()], "a", "b"))
PY
seen=$("$folder/venv/bin/python" "$folder/program.py")
echo "$seen"
expected='one Literal: taken
a list of an Enum: taken
a list of Literals: AssertionError: List types with complex sub-types are not currently supported'
[ "$seen" = "$expected" ] || { echo "this has changed; it was: $expected" >&2; exit 1; }
# Output:
#   one Literal: taken
#   a list of an Enum: taken
#   a list of Literals: AssertionError: List types with complex sub-types are not currently supported
