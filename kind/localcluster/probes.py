"""Small questions about readiness, asked again and again."""

import os
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from localcluster.commands import wait_until

INTERFACE_SECONDS = 30.0


def passes(probe: str) -> bool:
    """Answer `tcp:HOST:PORT` and `unix:PATH` (somebody listens), `file:PATH` (it exists), or an https URL (says 200).

    Anything else, such as the name of a unit that is not ready, does not pass.
    """
    scheme, _, rest = probe.partition(":")
    match scheme:
        case "tcp":
            host, _, port = rest.rpartition(":")
            return _connects(socket.AF_INET, (host, int(port)))
        case "unix":
            return _connects(socket.AF_UNIX, rest)
        case "file":
            return Path(rest).exists()
        case "https":
            return _says_ok(probe)
    return False


def _connects(family: socket.AddressFamily, address: tuple[str, int] | str) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address)
        except OSError:
            return False
        return True


def _says_ok(url: str) -> bool:
    # Only "does our own program, on an address of the node, answer": nothing is sent that needs a trusted peer.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return says_ok(url, context)


def says_ok(url: str, context: ssl.SSLContext) -> bool:
    """Say whether an https URL answers 200; never by a proxy, as every server here is on this machine."""
    direct = urllib.request.ProxyHandler({})
    opener = urllib.request.build_opener(direct, urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_for_interface(name: str) -> None:
    """Wait until the host has given us the interface.

    Raises:
        StartFailedError: it did not within half a minute.
    """
    path = Path("/sys/class/net") / name
    remedy = "run `make down`, then `make up`"
    wait_until(lambda: os.path.lexists(path), what=f"Interface {name}", seconds=INTERFACE_SECONDS, remedy=remedy)
