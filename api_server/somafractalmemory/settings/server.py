"""How the programs listen."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from somafractalmemory.settings.fields import Group, Port, setting


class ServerSettings(Group):
    """Ports and patience."""

    section: ClassVar[str] = "uvicorn"

    uvicorn_host: str = setting("UVICORN_HOST", "0.0.0.0", "Address the API binds to.")  # noqa: S104
    uvicorn_port: Port = setting("UVICORN_PORT", 9595, "Port of the API.", "SOMA_API_PORT")
    tls_cert: Path | None = setting(
        "SOMA_TLS_CERT",
        None,
        "File with the certificate chain, read again when replaced; with SOMA_TLS_KEY API and gRPC speak TLS only.",
    )
    tls_key: Path | None = setting("SOMA_TLS_KEY", None, "File with the certificate's private key.")
    uvicorn_workers: Annotated[int, Field(ge=1, le=64)] = setting(
        "UVICORN_WORKERS", 1, "Only 1 is used: add replicas instead, a warning says so."
    )
    uvicorn_backlog: Annotated[int, Field(ge=1)] = setting(
        "UVICORN_BACKLOG", 2048, "Connections waiting to be accepted."
    )
    uvicorn_keep_alive_seconds: Annotated[int, Field(ge=1)] = setting(
        "UVICORN_TIMEOUT_KEEP_ALIVE", 30, "Seconds an idle connection stays open."
    )
    uvicorn_graceful_seconds: Annotated[int, Field(ge=1, le=300)] = setting(
        "UVICORN_TIMEOUT_GRACEFUL", 15, "Seconds that requests under way get after SIGTERM."
    )
