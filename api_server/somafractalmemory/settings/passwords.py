"""Passwords that change while programs run: read again from their files, the one before them at hand.

A file that a setting such as POSTGRES_PASSWORD_FILE names may be replaced at any time, by the kubelet or a person.
Beside it a file of the same name with `_PREVIOUS` at its end, if it is there, holds the password of before: until the
store has changed over, or this program has read its files again, only one of the two is taken, and it may be either.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from prometheus_client import Counter

log = structlog.get_logger(__name__)

PREVIOUS = "_PREVIOUS"
_RECHECK_SECONDS = 1.0
_refused = Counter(
    "soma_passwords_refused_total", "Passwords that a store refused, so that another one was tried.", ["store"]
)


class Password:
    """What a store is to be asked with: the newest password first, or the one that was taken last.

    A file that is momentarily unreadable or empty changes nothing. Nothing of it is shown when it is printed.
    """

    def __init__(
        self, store: str, text: str, file: Path | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._clock = store, clock
        self._files = (file, file.with_name(file.name + PREVIOUS)) if file is not None else ()
        self._seen: tuple[object, ...] = ()
        self._values: tuple[str, ...] = (text,)
        self._taken = text
        self._checked_at = float("-inf")

    def candidates(self) -> tuple[str, ...]:
        """Each password that may be the valid one, the likeliest first; never empty."""
        self._read_when_due()
        if self._taken in self._values[1:]:
            return (self._taken, *(value for value in self._values if value != self._taken))
        return self._values

    @property
    def newest(self) -> str:
        """The one that is to be valid in the end."""
        self._read_when_due()
        return self._values[0]

    def attempts(self) -> Iterator[str]:
        """The candidates, one after another; to be left as soon as one is taken. Each further one is counted."""
        for number, value in enumerate(self.candidates()):
            if number:
                _refused.labels(self._store).inc()
            yield value

    def after(self, refused: str) -> str | None:
        """Another one than that which was refused, each in its turn; None when there is no other. It is counted."""
        candidates = self.candidates()
        place = candidates.index(refused) if refused in candidates else -1
        following = candidates[(place + 1) % len(candidates)]
        if following == refused:
            return None
        _refused.labels(self._store).inc()
        return following

    def taken(self, value: str) -> None:
        """Remember which one the store has taken."""
        if value != self._taken:
            log.info("password_changed_over", store=self._store, newest=value == self._values[0])
        self._taken = value

    def _read_when_due(self) -> None:
        now = self._clock()
        if not self._files or now - self._checked_at < _RECHECK_SECONDS:
            return
        self._checked_at = now
        if (state := tuple(map(_state_of, self._files))) == self._seen:
            return
        values = tuple(dict.fromkeys(text for file in self._files if (text := _text_of(file))))
        if values and _text_of(self._files[0]):
            if self._seen and values != self._values:
                log.info("password_reloaded", store=self._store)
            self._seen, self._values = state, values


def _state_of(file: Path) -> object:
    """Changes when the file does: a mounted Secret's becomes another one behind a link."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _text_of(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
