"""Addresses of Redis behind Sentinel: redis+sentinel://USER@HOST:26379,HOST:26379/0?service=NAME (rediss+…: TLS)."""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

DEFAULT_PORT = 26379
EXAMPLE = "redis+sentinel://HOST:26379,HOST:26379/0?service=NAME"


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Where the Sentinels are, which master they are asked for, and how it is spoken to."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    username: str | None
    password: str | None
    database: int
    tls: bool


def is_sentinel(url: str) -> bool:
    """Whether an address leads to Sentinels."""
    return url.partition(":")[0] in {"redis+sentinel", "rediss+sentinel"}


def sentinels(url: str) -> Sentinels:
    """What such an address says. Raises ValueError when it is none."""
    parts = urlsplit(url)
    login, _, places = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    service = parse_qs(parts.query).get("service", [""])[0]
    hosts = tuple(_place(place) for place in places.split(","))
    if not service or not all(host for host, _ in hosts):
        raise ValueError(f"this is no address such as {EXAMPLE}")
    database = int(parts.path.removeprefix("/") or "0")
    return Sentinels(
        hosts, service, unquote(user) or None, unquote(password) or None, database, url.startswith("rediss")
    )


def _place(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if colon and not text.endswith("]") else (text.strip("[]"), DEFAULT_PORT)
