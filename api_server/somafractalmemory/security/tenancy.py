"""Which namespaces this task may see: set where a request is let in, obeyed where the truth is asked.

A task that nobody confined is the service's own (relay, consumer, rebuild, decay, a program that uses the service in
its own process) and sees everything. A confined one sees nothing else even where a statement forgets to say so: the
Postgres adapter runs it under row-level security.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_namespaces: ContextVar[tuple[str, ...] | None] = ContextVar("soma_namespaces", default=None)


def confine(*namespaces: str) -> None:
    """From here on, this task and those that it starts see these namespaces only."""
    _namespaces.set(namespaces)


def visible() -> tuple[str, ...] | None:
    """The namespaces that this task may see; None for all of them."""
    return _namespaces.get()


@contextmanager
def confined(*namespaces: str) -> Iterator[None]:
    """See these namespaces only, for a while."""
    token = _namespaces.set(namespaces)
    try:
        yield
    finally:
        _namespaces.reset(token)


@contextmanager
def everywhere() -> Iterator[None]:
    """See everything, for a while: for work on behalf of the service itself."""
    token = _namespaces.set(None)
    try:
        yield
    finally:
        _namespaces.reset(token)
