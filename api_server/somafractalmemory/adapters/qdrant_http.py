"""One JSON request to Qdrant and its answer, or our error for it.

`qdrant-client` sends through httpx, whose connection pool and models cost 1.3 ms of processor time for each recall;
aiohttp, with a parser in C and bytes in and out, costs a fifth of that. What is asked rarely still goes through the
client, see `qdrant_setup`; both get the same errors here.
"""

import asyncio
import ssl
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import aiohttp
import httpx
import orjson
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from somafractalmemory.errors import Rejected, Unavailable
from somafractalmemory.settings.passwords import Password

KEY_HEADER = "api-key"
_NOT_OURS = {401, 403}
_REFUSALS = {400, 413, 422}
_CONNECTIONS = 16
_IDLE_SECONDS = 30.0
_HEADERS = {"Content-Type": "application/json"}


class NoCollectionError(Exception):
    """The server answers, and the collection is not there."""


class RefusedKeyError(Unavailable):
    """The server knows no such key."""


class KeyAuth(httpx.Auth):
    """The same for the requests of `qdrant-client`: each key that may be valid."""

    def __init__(self, api_key: Password) -> None:
        self._api_key = api_key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        for key in self._api_key.attempts():
            request.headers[KEY_HEADER] = key
            response = yield request
            if response.status_code not in _NOT_OURS:
                self._api_key.taken(key)
                return


class Rest:
    """Kept connections to one server; they are made on first use, in the loop that uses them."""

    def __init__(
        self, url: str, *, api_key: Password | None, timeout_seconds: float, verify: ssl.SSLContext | bool = True
    ) -> None:
        self._url = url.rstrip("/")
        self._verify = verify
        self._api_key = api_key
        self._timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, method: str, path: str, body: bytes | None = None, seconds: float | None = None) -> Any:
        """The result, decoded. Raises Unavailable, Rejected or NoCollectionError.

        Sent again when a kept connection turns out to be dead: everything we send may be sent twice.
        """
        deadline = seconds or self._timeout_seconds
        try:
            async with asyncio.timeout(deadline):
                try:
                    return await self._request(method, path, body)
                except aiohttp.ClientConnectorError:  # nobody there: trying at once again would not help
                    raise
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError):
                    return await self._request(method, path, body)
        except TimeoutError:
            raise Unavailable("qdrant", f"no answer within {deadline:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable("qdrant", f"{type(error).__name__} {error}".strip()) from error

    async def _request(self, method: str, path: str, body: bytes | None) -> Any:
        if self._api_key is None:
            return await self._attempt(method, path, body, None)
        refused: RefusedKeyError | None = None
        for key in self._api_key.attempts():
            try:
                answer = await self._attempt(method, path, body, {KEY_HEADER: key})
            except RefusedKeyError as error:
                refused = error
            else:
                self._api_key.taken(key)
                return answer
        raise refused or AssertionError("a password has a value")

    async def _attempt(self, method: str, path: str, body: bytes | None, headers: dict[str, str] | None) -> Any:
        session, url = self._opened(), self._url + path
        async with session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
            content = await response.read()
        if response.status >= 300:
            raise refusal_of(response.status, content, response.headers.get("Retry-After"))
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise Unavailable("qdrant", "its answer is not JSON: is QDRANT_URL the address of a Qdrant?") from None
        return answer.get("result", answer) if isinstance(answer, dict) else answer

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_IDLE_SECONDS, ssl=self._verify),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(),  # `send` has the deadline
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
        return self._session


def refusal_of(status: int, content: bytes, retry_after: str | None = None) -> Exception:
    """Our error for an answer that is none."""
    said = content.decode(errors="replace")[:300]
    with suppress(ValueError, KeyError, TypeError):
        said = orjson.loads(content)["status"]["error"]
    if status == 404:
        return NoCollectionError(said)
    if status in _NOT_OURS:
        return RefusedKeyError("qdrant", f"it refuses our API key ({status}): check QDRANT_API_KEY")
    if status == 429:
        seconds = float(retry_after) if retry_after and retry_after.isdecimal() else None
        return Unavailable("qdrant", f"it asks for fewer requests: {said}", **_waiting(seconds))
    if status in _REFUSALS:
        return Rejected(f"qdrant refuses this: {said}")
    return Unavailable("qdrant", f"it answers {status}: {said}")


def error_of(error: Exception) -> Exception:
    """Our error for one of `qdrant-client`."""
    if isinstance(error, UnexpectedResponse):
        return refusal_of(error.status_code or 500, error.content)
    if isinstance(error, ResourceExhaustedResponse):
        return Unavailable("qdrant", f"it asks for fewer requests: {error}", **_waiting(float(error.retry_after_s)))
    if isinstance(error, ResponseHandlingException):
        return Unavailable("qdrant", f"{type(error.source).__name__} {error.source}".strip())
    return Unavailable("qdrant", str(error))


def _waiting(seconds: float | None) -> dict[str, float]:
    return {} if seconds is None else {"retry_after_seconds": seconds}
