"""Addresses of more than one Redis (with rediss+…: by TLS).

Behind Sentinel: redis+sentinel://USER@HOST:26379,HOST:26379/0?service=NAME. A cluster, by some of its servers:
redis+cluster://USER@HOST:6379,HOST:6379.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

Kind = Literal["sentinel", "cluster"]
_KINDS: dict[str, Kind] = {"sentinel": "sentinel", "cluster": "cluster"}
_PORTS = {"sentinel": 26379, "cluster": 6379}
_EXAMPLES = {
    "sentinel": "redis+sentinel://HOST:26379,HOST:26379/0?service=NAME",
    "cluster": "redis+cluster://HOST:6379,HOST:6379",
}


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they are, and how the one that answers is spoken to; `service` is the master that Sentinels know."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    service: str
    username: str | None
    password: str | None
    database: int
    tls: bool


def kind_of(url: str) -> Kind | None:
    """Which kind of several servers an address leads to, None when it leads to one."""
    scheme, plus, kind = url.partition(":")[0].partition("+")
    return _KINDS.get(kind) if plus and scheme in {"redis", "rediss"} else None


def servers(url: str) -> Servers:
    """What such an address says. Raises ValueError when it is none."""
    kind = kind_of(url)
    if kind is None:
        raise ValueError(f"this is no address such as {' or '.join(_EXAMPLES.values())}")
    parts = urlsplit(url)
    login, _, places = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    service = parse_qs(parts.query).get("service", [""])[0]
    hosts = tuple(_place(place, _PORTS[kind]) for place in places.split(","))
    database = int(parts.path.removeprefix("/") or "0")
    if not all(host for host, _ in hosts) or (kind == "sentinel") != bool(service):
        raise ValueError(f"this is no address such as {_EXAMPLES[kind]}")
    if kind == "cluster" and database:
        raise ValueError("a cluster has the database 0 only")
    tls = url.startswith("rediss")
    return Servers(kind, hosts, service, unquote(user) or None, unquote(password) or None, database, tls)


def _place(text: str, default: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if colon and not text.endswith("]") else (text.strip("[]"), default)
