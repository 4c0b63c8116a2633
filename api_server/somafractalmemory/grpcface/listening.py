"""Where a server listens, and what is wrong when it cannot."""

import ipaddress
import socket

import grpc

from somafractalmemory.errors import ConfigurationError
from somafractalmemory.security.certificates import ServerCertificate
from somafractalmemory.settings import Settings


def options_of(settings: Settings) -> list[tuple[str, int]]:
    """Arguments of a server: the same limit of a message as HTTP has of a body, and no second server on one port."""
    limit = settings.max_body_bytes
    return [
        ("grpc.max_receive_message_length", -1 if limit is None else limit),
        ("grpc.max_send_message_length", -1),  # answers are bounded by what was asked for
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_time_ms", 60_000),  # a peer that vanished is noticed
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]


def address_of(host: str, port: int) -> str:
    """The address as gRPC wants it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_listening(settings: Settings) -> None:
    """Raises ConfigurationError for what would keep a server from starting, before anything is opened."""
    credentials_of(settings)
    if settings.grpc_trust_loopback and not _is_loopback(settings.grpc_host):
        raise ConfigurationError(
            f"SOMA_GRPC_TRUST_LOOPBACK: it needs SOMA_GRPC_HOST=127.0.0.1, not {settings.grpc_host}; or unset it"
        )
    family = socket.AF_INET6 if ":" in settings.grpc_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.grpc_host, settings.grpc_port))
        except OSError as error:
            raise in_use(address_of(settings.grpc_host, settings.grpc_port), str(error.strerror or error)) from None


def credentials_of(settings: Settings) -> grpc.ServerCredentials | None:
    """TLS from two files, which are read again when they are replaced; None without. Raises ConfigurationError."""
    cert, key, named = settings.grpc_tls_cert, settings.grpc_tls_key, "SOMA_GRPC_TLS_CERT, SOMA_GRPC_TLS_KEY"
    if cert is None and key is None:
        cert, key, named = settings.tls_cert, settings.tls_key, "SOMA_TLS_CERT, SOMA_TLS_KEY"
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise ConfigurationError(f"{named}: set both for TLS, or none")
    certificate = ServerCertificate(cert, key, named=named)
    first = certificate.pair()
    shown = [first]

    def newest() -> grpc.ServerCertificateConfiguration | None:
        pair = certificate.pair()
        if pair == shown[0]:
            return None
        shown[0] = pair
        return grpc.ssl_server_certificate_configuration([pair])

    initial = grpc.ssl_server_certificate_configuration([first])
    return grpc.dynamic_ssl_server_credentials(initial, newest)  # type: ignore[arg-type]  # None is no change


def in_use(address: str, reason: str = "the port is in use") -> ConfigurationError:
    """What to do when the port cannot be had."""
    return ConfigurationError(
        f"SOMA_GRPC_PORT: gRPC cannot listen on {address} ({reason}); end the other program, choose another port, "
        "or set SOMA_GRPC_ENABLED=false"
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
