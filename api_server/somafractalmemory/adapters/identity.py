"""Where an identity provider's keys come from: its address, its discovery document, or a file."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson

from somafractalmemory.errors import Unavailable
from somafractalmemory.security.bearers import Key

_MAX_BYTES = 1 << 20
_DISCOVERY = "/.well-known/openid-configuration"


def key_source(
    *, issuer: str, url: str | None, file: Path | None, timeout_seconds: float = 4.0
) -> Callable[[], Awaitable[Sequence[Key]]]:
    """What fetches the keys: each call ends within `timeout_seconds` and raises Unavailable when there are none."""

    async def fetch() -> Sequence[Key]:
        try:
            async with asyncio.timeout(timeout_seconds):
                if file is not None:
                    return _keys(await asyncio.to_thread(file.read_bytes), str(file))
                async with httpx.AsyncClient(timeout=timeout_seconds) as client:
                    address = url or await _discovered(client, issuer)
                    return _keys(await _read(client, address), address)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise Unavailable("oidc", f"{url or file or issuer}: {type(error).__name__} {error}".strip()) from error

    return fetch


async def _discovered(client: httpx.AsyncClient, issuer: str) -> str:
    document = _parsed(await _read(client, issuer.rstrip("/") + _DISCOVERY), issuer)
    if document.get("issuer") != issuer or not isinstance(address := document.get("jwks_uri"), str):
        raise Unavailable("oidc", f"{issuer}: its discovery document names another issuer, or no keys")
    return address


async def _read(client: httpx.AsyncClient, address: str) -> bytes:
    content = b""
    async with client.stream("GET", address) as answer:
        answer.raise_for_status()
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > _MAX_BYTES:
                raise Unavailable("oidc", f"{address}: more than {_MAX_BYTES} bytes")
    return content


def _keys(content: bytes, source: str) -> Sequence[Key]:
    keys = _parsed(content, source).get("keys")
    if not isinstance(keys, list):
        raise Unavailable("oidc", f"{source}: this is no set of keys")
    return [key for key in keys if isinstance(key, dict)]


def _parsed(content: bytes, source: str) -> dict[str, Any]:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise Unavailable("oidc", f"{source}: this is no JSON object")
    return document
