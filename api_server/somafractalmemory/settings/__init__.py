"""Every setting of both programs: one tree of typed fields, read once, in `__main__`.

`service`, `lifecycle`, `stores`, `events` and `server` hold the fields; a new setting goes there and into
docs/configuration.md.
`reading` merges explicit values, the environment and a file into a `Settings`; `clients` turns it into what the stores'
clients want; `dictionary` knows the keys of a configuration file; `retired` lists variables of earlier releases that do
nothing here.
"""

from somafractalmemory.settings.clients import postgres_conninfo, redacted
from somafractalmemory.settings.reading import Resolved, load_settings, resolve
from somafractalmemory.settings.tree import SECRETS, Settings

__all__ = ["SECRETS", "Resolved", "Settings", "load_settings", "postgres_conninfo", "redacted", "resolve"]
