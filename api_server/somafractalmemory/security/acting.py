"""Who acts now: set where a request is let in, read where deeds are written down."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller's name, never its token, and the request that it made; the service itself when nobody asked."""

    name: str = "service"
    request_id: str | None = None


_actor: ContextVar[Actor] = ContextVar("soma_actor", default=Actor())  # noqa: B039  # it is frozen


def actor() -> Actor:
    """Who acts in this task."""
    return _actor.get()


def act_as(name: str, request_id: str | None = None) -> None:
    """From here on, this task acts for a caller."""
    _actor.set(Actor(name, request_id[:200] if request_id else None))
