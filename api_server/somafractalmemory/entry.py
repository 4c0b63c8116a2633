"""Where the `soma` script starts: says what to install when only the operator is."""

import sys


def main() -> None:
    """Run the command; exit code 2 when its libraries are not installed."""
    try:
        from somafractalmemory.cli import main as command  # noqa: PLC0415 - the import itself may fail
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("somafractalmemory"):
            raise
        print(f"soma needs {error.name}: run pip install 'somafractalmemory[api]'", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    command()
