"""The `soma` command: each operation over HTTP, or with the whole service in this process; and the programs' starts.

`app` assembles the commands; `commanding` gives each of them the options that all share, opens the client and shows
what the command returns; `running` turns errors into messages and exit codes.
"""

from somafractalmemory.cli.running import main, run

__all__ = ["main", "run"]
