"""How gRPC listens."""

from pathlib import Path
from typing import ClassVar

from somafractalmemory.settings.fields import Group, Port, setting


class GrpcSettings(Group):
    """Its port, TLS, and whom it trusts."""

    section: ClassVar[str] = "grpc"

    grpc_enabled: bool = setting("SOMA_GRPC_ENABLED", True, "Whether `soma serve` also serves gRPC.")
    grpc_host: str = setting("SOMA_GRPC_HOST", "0.0.0.0", "Address gRPC binds to.")  # noqa: S104
    grpc_port: Port = setting("SOMA_GRPC_PORT", 50053, "Port of gRPC.")
    grpc_tls_cert: Path | None = setting(
        "SOMA_GRPC_TLS_CERT",
        None,
        "File with another certificate chain for gRPC than SOMA_TLS_CERT; with SOMA_GRPC_TLS_KEY gRPC speaks TLS only.",
    )
    grpc_tls_key: Path | None = setting("SOMA_GRPC_TLS_KEY", None, "File with the certificate's private key.")
    grpc_trust_loopback: bool = setting(
        "SOMA_GRPC_TRUST_LOOPBACK",
        False,
        "For trying out only: gRPC needs no token. Refused unless SOMA_GRPC_HOST is a loopback address.",
    )
