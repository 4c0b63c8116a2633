"""One connection to the Kubernetes API: plain JSON in and out, always with a deadline, errors made ours.

Only this module knows `kubernetes.aio`. It uses the client's configuration, authentication and transport and leaves
its hundreds of models alone: server-side apply wants exactly the fields that we mean, and a model would add others.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from somamemory_operator.cluster.errors import ApiError, NoClusterError, NotLeaderError, words
from somamemory_operator.telemetry.metrics import Metrics

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
_JSON = "application/json"
_METADATA = "application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1"
_ANY_NUMBER = 0
_CONNECT_SECONDS = 5.0


class Connection:
    """Requests and streams of JSON. Writing needs `may_write()`, so that a lost lease stops every write at once."""

    def __init__(self, api: client.ApiClient, metrics: Metrics, may_write: Callable[[], bool] = lambda: True) -> None:
        self._api, self._metrics, self._may_write = api, metrics, may_write

    async def request(
        self,
        verb: str,
        path: str,
        *,
        kind: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = _JSON,
        metadata_only: bool = False,
        seconds: float = 10,
    ) -> dict[str, Any]:
        """Make one call and return the decoded answer.

        Raises ApiError for every failure of the server or the network, NotLeaderError for a write without the lease.
        """
        if verb != "GET" and not self._may_write():
            raise NotLeaderError(f"{verb} {path}: the lease is not held by this replica")
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
        accept = _METADATA.format(list="List") if metadata_only else _JSON
        response = await self._send(verb, path, kind, query, body, content_type, accept, timeout)
        try:
            data = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(verb, path, kind, error) from error
        finally:
            response.release()
        return self._decoded(verb, path, kind, response.status, data)

    async def stream(
        self, path: str, *, kind: str, query: Mapping[str, Any], silence: float = 90
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the events of a watch (metadata of the objects only) until the server ends it.

        Raises ApiError when it breaks, also after `silence` seconds without even a bookmark.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=silence)
        accept = _METADATA.format(list="")
        response = await self._send("GET", path, kind, query, None, _JSON, accept, timeout, counted_as="WATCH")
        try:
            if response.status != 200:
                self._decoded("WATCH", path, kind, response.status, await response.read())
            self._metrics.api_calls.labels("WATCH", kind, "200").inc()
            async for line in _lines(response):
                yield json.loads(line)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable("WATCH", path, kind, error) from error
        finally:
            response.close()

    async def _send(
        self,
        verb: str,
        path: str,
        kind: str,
        query: Mapping[str, Any] | None,
        body: Any,
        content_type: str,
        accept: str,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own deadlines, one per phase
        counted_as: str = "",
    ) -> aiohttp.ClientResponse:
        call = await self._api.param_serialize(
            verb,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": accept, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = await self._api.call_api(*call, _request_timeout=timeout)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(counted_as or verb, path, kind, error) from error
        response: aiohttp.ClientResponse = answer.response
        return response

    def _decoded(self, verb: str, path: str, kind: str, status: int, data: bytes) -> dict[str, Any]:
        self._metrics.api_calls.labels(verb, kind, str(status)).inc()
        try:
            decoded = json.loads(data)
        except ValueError:
            decoded = {"message": data[:200].decode(errors="replace")}
        if 200 <= status < 300 and isinstance(decoded, dict):
            return decoded
        answer = decoded if isinstance(decoded, dict) else {}
        raise ApiError(f"{verb} {path}", status, str(answer.get("reason", "")), words(answer, kind))

    def _unreachable(self, verb: str, path: str, kind: str, error: BaseException) -> ApiError:
        slow = isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError)
        self._metrics.api_calls.labels(verb, kind, "slow" if slow else "unreachable").inc()
        text = "not within the time for one call" if slow else str(error) or type(error).__name__
        message = f"no answer from the Kubernetes API ({text})"
        return ApiError(f"{verb} {path}", 0, "Unreachable", message, slow=slow)


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Split a stream into lines of any length (aiohttp's own reader refuses long ones)."""
    rest = b""
    async for chunk in response.content.iter_any():
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            if line:
                yield line


@asynccontextmanager
async def connect(
    metrics: Metrics, may_write: Callable[[], bool] = lambda: True, kubeconfig: Path | None = None
) -> AsyncIterator[Connection]:
    """Open a connection with the pod's service account, or with a kubeconfig outside of a cluster.

    Raises NoClusterError when there is neither.
    """
    settings = client.Configuration()
    try:
        await _load(settings, kubeconfig)
    except config.ConfigException as error:
        advice = "run in a pod with a service account, or set KUBECONFIG to the path of a valid kubeconfig"
        raise NoClusterError(f"No cluster to connect to ({error}): {advice}.") from error
    settings.retries = None
    settings.connection_pool_maxsize = _ANY_NUMBER  # every watch keeps one open
    async with client.ApiClient(settings) as api:
        api.user_agent = "somamemory-operator"
        yield Connection(api, metrics, may_write)
        await asyncio.sleep(0)  # lets aiohttp close its transports


async def _load(settings: client.Configuration, kubeconfig: Path | None) -> None:
    if kubeconfig is not None:
        await config.load_kube_config(config_file=str(kubeconfig), client_configuration=settings)  # type: ignore[no-untyped-call]
        return
    try:
        config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
    except config.ConfigException:
        await config.load_kube_config(client_configuration=settings)  # type: ignore[no-untyped-call]
