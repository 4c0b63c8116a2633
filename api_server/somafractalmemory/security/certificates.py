"""The certificate that a server shows: two files, read again as soon as they are replaced."""

import ssl
from pathlib import Path

import structlog

from somafractalmemory.errors import ConfigurationError

log = structlog.get_logger(__name__)

Pair = tuple[bytes, bytes]
"""Private key and certificate chain, in PEM."""


class ServerCertificate:
    """A certificate chain and its private key, in PEM files.

    Whoever begins a handshake asks for it, and only then the files are looked at: every new connection gets the newest
    pair, and connections that are open stay as they are. Files that do not fit together, because just one of them has
    been replaced, are left alone until they do.
    """

    def __init__(self, chain: Path, key: Path, *, named: str) -> None:
        """Raises ConfigurationError, which says `named`, when the files cannot be used."""
        self._chain, self._key, self._named = chain, key, named
        self._seen: object = None
        self._complaint = ""
        self._pair: Pair = (b"", b"")
        self._current = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            self._load()
        except (OSError, ssl.SSLError) as error:
            raise self._unusable(error) from None

    def context(self) -> ssl.SSLContext:
        """For a server in Python; TLS 1.2 and newer."""
        outer = _context(self._chain, self._key)
        outer.sni_callback = self._choose  # asked in every handshake, with and without a server name
        return outer

    def pair(self) -> Pair:
        """Private key and chain as they are now."""
        self._refresh()
        return self._pair

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        self._refresh()
        connection.context = self._current

    def _refresh(self) -> None:
        try:
            if self._signature() != self._seen and self._load():
                self._complaint = ""
                log.info("certificate_renewed", file=str(self._chain))
        except (OSError, ssl.SSLError) as error:
            self._complain(str(error))

    def _complain(self, error: str) -> None:
        """Once for each error, not in every handshake."""
        if error != self._complaint:
            self._complaint = error
            log.warning("certificate_unusable", file=str(self._chain), error=error, hint="the one before is shown")

    def _load(self) -> bool:
        """Whether both files were read between two changes."""
        before = self._signature()
        context, pair = _context(self._chain, self._key), (self._key.read_bytes(), self._chain.read_bytes())
        if self._signature() != before:
            return False
        self._current, self._pair, self._seen = context, pair, before
        return True

    def _signature(self) -> object:
        return [(found.st_ino, found.st_mtime_ns, found.st_size) for found in (self._chain.stat(), self._key.stat())]

    def _unusable(self, error: OSError) -> ConfigurationError:
        if isinstance(error, ssl.SSLError):
            text = f"{self._chain} and {self._key} are no certificate and its key ({error.reason}); correct the files"
        else:
            text = f"{error.filename} cannot be read ({error.strerror}); mount the file"
        return ConfigurationError(f"{self._named}: {text}")


def _context(chain: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain, key)
    return context
