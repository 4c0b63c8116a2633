"""The connection to an API: its address, the token, and whose proxies it passes."""

import re
import ssl
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from somafractalmemory.errors import ConfigurationError

DEFAULT_URL = "http://127.0.0.1:9595"


def dial(
    url: str,
    *,
    token: str | None,
    namespace: str | None,
    timeout_seconds: float,
    transport: httpx.BaseTransport | None,
    ca: Path | None = None,
) -> httpx.Client:
    """A client that connects when something is asked; `ca` is the file with whom it trusts, None for the system's.

    Raises ConfigurationError for a wrong address, token, name or file.
    """
    address = _checked_url(url)
    headers = {"accept": "application/json, application/x-ndjson"}
    if token is not None:
        headers["authorization"] = f"Bearer {_checked_token(token)}"
    if namespace is not None:
        headers["x-soma-namespace"] = _checked_namespace(namespace)
    return httpx.Client(
        base_url=address,
        headers=headers,
        timeout=timeout_seconds,
        transport=transport,
        verify=_trust(ca),
        trust_env=not _is_here(address),  # a proxy of the environment knows nothing of this machine
    )


def _trust(ca: Path | None) -> ssl.SSLContext | bool:
    if ca is None:
        return True
    try:
        context = ssl.create_default_context(cafile=ca)
    except ssl.SSLError as error:
        raise ConfigurationError(f"{ca} holds no certificate in PEM ({error.reason}); correct the file") from None
    except OSError as error:
        raise ConfigurationError(f"{ca} cannot be read ({error.strerror}); correct the path") from None
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as other clients of the API; see settings/clients.py
    return context


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConfigurationError(f"{url.rpartition('@')[2]!r} is no address of an API, such as {DEFAULT_URL}")
    return url


def _checked_token(token: str) -> str:
    if not re.fullmatch(r"[!-~]+", token):
        raise ConfigurationError("the token holds something else than printable ASCII: look at the file it came from")
    return token


def _checked_namespace(name: str) -> str:
    if not name.isascii() or not name.isprintable():
        raise ConfigurationError("a namespace is 1 to 128 letters, digits or any of . _ : -")
    return name


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
