"""TLS as Qdrant's server has it: QDRANT__TLS__CERT and __KEY, read again every QDRANT__TLS__CERT_TTL seconds."""

import logging
import ssl
import time

from .settings import Settings

log = logging.getLogger(__name__)


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """What the server shows, None for plain HTTP. Raises OSError when the files cannot be used."""
    if not settings.enable_tls:
        return None
    current = [_read(settings)]
    read_at = [time.monotonic()]

    def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Asked in every handshake, so that new connections get the newest certificate."""
        now = time.monotonic()
        if settings.certificate_seconds and now - read_at[0] >= settings.certificate_seconds:
            read_at[0] = now
            try:
                current[0] = _read(settings)
            except OSError as error:  # ssl.SSLError is one
                log.warning("the certificate cannot be used, the one before is shown: %s", error)
        connection.context = current[0]

    outer = _read(settings)
    outer.sni_callback = choose
    return outer


def _read(settings: Settings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.certificate, settings.certificate_key)
    return context
