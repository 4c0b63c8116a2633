"""What a connection writes in one turn of the loop leaves together.

Uvicorn writes the head of an answer and its body one after the other, and uvloop sends each at once: two system calls,
and a client that wakes up twice.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ENOUGH_BYTES = 64 * 1024


class GatheringTransport:
    """A transport that sends at the end of the turn, or as soon as enough has gathered; all else is the real one's."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send these bytes behind those that were written before."""
        if not data:
            return
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size >= _ENOUGH_BYTES:
            self._flush()

    def close(self) -> None:
        """Send what was written, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            self._transport.write(b"".join(parts))


class GatheringProtocol(HttpToolsProtocol):
    """Uvicorn's protocol on such a transport."""

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        super().connection_made(GatheringTransport(transport))  # type: ignore[arg-type]
