"""One `up`, `down` or `load` at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster.errors import CannotRunError


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs; the kernel lets go of it however this process ends.

    Raises:
        CannotRunError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            held.seek(0)
            holder = held.read().strip() or "unknown"
            raise CannotRunError(
                f"Process {holder} is working on the local cluster right now", "wait for it to end, then try again"
            ) from error
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield
