"""Whether a store can be used as the settings say: step by step, so that what is wrong has one name.

Nothing is changed in a store. Every step has a deadline, and no password is in what is told.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

STEP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """How it stands with one store: `reason` is a word for programs, `message` says what to do."""

    store: str
    reason: str
    message: str
    version: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether the store can be used."""
        return self.reason == "Ready"


class FailedStep(Exception):  # noqa: N818 - what happened
    """A step did not succeed; the later ones were not tried."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Address:
    """One host and port of a store."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


Check = Callable[[], Awaitable[str]]
"""The steps behind the connection; returns the version. Raises FailedStep."""


async def examine(store: str, addresses: Sequence[Address], check: Check) -> Finding:
    """Names and ports first, since what clients say about them is hard to read; then what the store itself says."""
    try:
        async with asyncio.timeout(4 * STEP_SECONDS):
            await _any_reachable(addresses)
            version = await check()
    except FailedStep as failed:
        return Finding(store, failed.reason, str(failed))
    except TimeoutError:
        return Finding(store, "Unreachable", f"{_all(addresses)} takes too long: look at its load and the network.")
    return Finding(store, "Ready", f"{_all(addresses)} can be used.", version)


async def _any_reachable(addresses: Sequence[Address]) -> None:
    """One of several is enough: the others may be down just now."""
    failed: list[FailedStep] = []
    for address in addresses:
        try:
            await _reach(address)
        except FailedStep as error:
            failed.append(error)
        else:
            return
    if failed:
        raise failed[0]


async def _reach(address: Address) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(STEP_SECONDS):
            await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        text = f"{address.host} has no address ({error}): correct the host, or the cluster's DNS."
        raise FailedStep("DnsFailed", text) from error
    except TimeoutError as error:
        text = f"{address.host} has no address within {STEP_SECONDS:g} s: look at the cluster's DNS."
        raise FailedStep("DnsFailed", text) from error
    try:
        async with asyncio.timeout(STEP_SECONDS):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        text = f"{address} does not answer ({why}): correct the port, or let it through firewalls and policies."
        raise FailedStep("Unreachable", text) from error
    writer.close()


def refuse_tls(address: object, error: object) -> NoReturn:
    """Raise FailedStep for a certificate that is not trusted, or a server that speaks no TLS."""
    raise FailedStep("TlsFailed", f"{address}: {error}: name the authority that signed its certificate, and its host.")


def is_about_tls(error: BaseException | None) -> bool:
    """Whether TLS is somewhere at the ground of an error."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _all(addresses: Sequence[Address]) -> str:
    return ", ".join(map(str, addresses)) or "It"
