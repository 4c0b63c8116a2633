"""One request to a running API: what it answers, tried again while that is right, and its refusals as our errors."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
from prometheus_client import Counter

from somafractalmemory.errors import (
    Forbidden,
    InProgress,
    InvalidRequest,
    NotFound,
    RateLimited,
    SomaError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    VersionMismatch,
)

RETRIES = Counter("soma_client_retries", "Requests that a client sent again, by what was answered.", ["reason"])
Body = bytes | Callable[[], Iterator[bytes]] | None
"""A stream is made anew for each attempt."""

_REFUSALS: Mapping[int, type[SomaError]] = {
    HTTPStatus.BAD_REQUEST: InvalidRequest,
    HTTPStatus.UNAUTHORIZED: Unauthenticated,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.PRECONDITION_FAILED: VersionMismatch,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLarge,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidRequest,
}
_AGAIN = frozenset({HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_DEFAULT_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on: no more attempts than these, and no more waiting between them than this in all."""

    attempts: int = 6
    waiting_seconds: float = 90.0


class Requester:
    """Sends requests. Each write carries an `Idempotency-Key`, the same in all its attempts: it is done once."""

    def __init__(
        self,
        http: httpx.Client,
        *,
        patience: Patience,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._http = http
        self._patience = patience
        self._sleep = sleep
        self._chance = chance

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        reads: bool = False,
    ) -> httpx.Response:
        """The whole answer. Raises what `refusal` makes of any other than 2xx."""
        with self.stream(method, path, params=params, body=body, headers=headers, reads=reads) as response:
            response.read()
            return response

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        reads: bool = False,
    ) -> Iterator[httpx.Response]:
        """A good answer whose body is still to be read; errors in between are raised as `Unavailable`.

        A request that `reads` only needs no key to be repeated.
        """
        given = {name: value for name, value in (params or {}).items() if value is not None}
        sent = dict(headers or {})
        if not reads:
            sent["idempotency-key"] = str(uuid4())
        response = self._until_good(method, path, given, body, sent)
        try:
            yield response
        except httpx.TransportError as error:
            raise broken(error) from error
        finally:
            response.close()

    def _until_good(
        self, method: str, path: str, params: Mapping[str, Any], body: Body, headers: Mapping[str, str]
    ) -> httpx.Response:
        waited = 0.0
        for attempt in range(1, self._patience.attempts + 1):
            response: httpx.Response | None = None
            try:
                response = self._once(method, path, params, body, headers)
                if response.is_success:
                    return response
                error = self._refused(response)
            except httpx.TransportError as failure:
                error = broken(failure)
                if isinstance(failure, httpx.TimeoutException):  # a spent deadline is not spent again
                    raise error from failure
            wait = self._wait(error, attempt)
            last = attempt == self._patience.attempts or waited + wait > self._patience.waiting_seconds
            if last or (response is not None and response.status_code not in _AGAIN):
                raise error
            waited += wait
            RETRIES.labels("connection" if response is None else str(response.status_code)).inc()
            self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self, method: str, path: str, params: Mapping[str, Any], body: Body, headers: Mapping[str, str]
    ) -> httpx.Response:
        content = body() if callable(body) else body
        request = self._http.build_request(method, path, params=params, content=content, headers=headers)
        return self._http.send(request, stream=True)

    def _wait(self, error: SomaError, attempt: int) -> float:
        """What the server asks for, or a growing while; and up to a quarter more, so that callers come back apart."""
        asked = error.retry_after_seconds
        base: float = min(_DEFAULT_WAIT_SECONDS * 2 ** (attempt - 1), 10.0) if asked is None else asked
        return base * (1 + self._chance() / 4)

    @staticmethod
    def _refused(response: httpx.Response) -> SomaError:
        response.read()
        response.close()
        return refusal(response)


def object_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises SomaError."""
    try:
        said = response.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise SomaError(f"{response.request.url} answered something else than JSON; is this the API?")
    return said


def refusal(response: httpx.Response) -> SomaError:
    """An answer that is not 2xx, as the error that the service raised."""
    detail = _detail(response)
    status = response.status_code
    if status == HTTPStatus.CONFLICT:
        error = InProgress(detail)
        error.retry_after_seconds = _retry_after(response) or _DEFAULT_WAIT_SECONDS
        return error
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(detail, retry_after_seconds=_retry_after(response) or _DEFAULT_WAIT_SECONDS)
    if status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}:
        return Unavailable("the API", detail, retry_after_seconds=_retry_after(response) or 2.0)
    if status == HTTPStatus.NOT_FOUND and detail == HTTPStatus.NOT_FOUND.phrase:
        return SomaError(f"{response.request.url} does not exist there; is this the API, and of this release?")
    if status in _REFUSALS:
        return _REFUSALS[status](detail)
    return SomaError(f"the API answered {status}: {detail}")


def _detail(response: httpx.Response) -> str:
    try:
        said = response.json()
    except ValueError:
        said = None
    if isinstance(said, dict) and isinstance(said.get("detail"), str):
        return str(said["detail"])
    return response.text[:300].strip() or response.reason_phrase


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def broken(error: httpx.TransportError) -> Unavailable:
    """A connection that failed, as our error."""
    words = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
    return Unavailable("the API", words, retry_after_seconds=0.2)
