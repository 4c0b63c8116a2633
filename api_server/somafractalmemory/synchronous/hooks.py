"""Functions of the program that are called before and after what it does."""

from collections.abc import Callable
from typing import Any

import structlog

from somafractalmemory.errors import InvalidRequest

log = structlog.get_logger(__name__)

EVENTS = tuple(f"{when}_{what}" for what in ("store", "recall", "forget", "reflect") for when in ("before", "after"))


class Hooks:
    """One function for each event, called in the caller's thread; what it raises is logged and changes nothing."""

    def __init__(self) -> None:
        self._functions: dict[str, Callable[..., object]] = {}

    def put(self, event: str, function: Callable[..., object] | None) -> None:
        """Call the function from now on, instead of the one before; None: nothing. Raises InvalidRequest."""
        if event not in EVENTS:
            raise InvalidRequest(f"there is no event {event!r}; known are {', '.join(EVENTS)}", loc=("event",))
        if function is None:
            self._functions.pop(event, None)
        else:
            self._functions[event] = function

    def fire(self, event: str, *arguments: Any) -> None:
        """Call the function of this event, if there is one."""
        function = self._functions.get(event)
        if function is None:
            return
        try:
            function(*arguments)
        except Exception as error:
            log.warning("hook_failed", hook=event, exc_info=error)
