"""The command line as a whole: errors become one message that says what to do next, and an exit code."""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NoReturn

from somafractalmemory.cli.app import app
from somafractalmemory.cli.ending import FAILED, end
from somafractalmemory.cli.options import Given
from somafractalmemory.client import Client
from somafractalmemory.errors import SomaError


def run(
    arguments: Sequence[str] | None = None,
    *,
    connect: Callable[[Given], AbstractContextManager[Client]] | None = None,
) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: instead of the process's own.
        connect: the way to the client that commands use.
    """
    try:
        app(args=arguments, prog_name="soma", obj=Given(connect=connect))
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0 if done.code is None else FAILED
    except SomaError as error:
        return end(error)
    except Exception as error:  # a person gets a sentence, not a traceback
        if os.environ.get("LOG_LEVEL", "").upper() == "DEBUG":
            traceback.print_exc()
        print(f"soma: {type(error).__name__}: {error}; LOG_LEVEL=DEBUG shows more, please report it", file=sys.stderr)
        return FAILED
    return 0


def main() -> NoReturn:
    """Run the command of this process."""
    sys.exit(run())
