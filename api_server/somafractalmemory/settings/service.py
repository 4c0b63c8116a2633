"""Settings of the service itself: who may use it, how much, and how it recalls."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.model import check_namespace
from somafractalmemory.settings.fields import Group, address, setting


class ServiceSettings(Group):
    """At the top of a file."""

    memory_mode: str = setting(
        "MEMORY_MODE", "evented_enterprise", "The only mode; anything else is replaced by it with a warning."
    )
    namespace: str = setting(
        "SOMA_MEMORY_NAMESPACE", "api_ns", "Namespace of the memories of this API.", "SOMA_NAMESPACE"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = setting(
        "LOG_LEVEL", "INFO", "How much is logged."
    )

    api_token: SecretStr | None = setting(
        "SOMA_API_TOKEN",
        None,
        "Bearer tokens, separated by commas or blanks. This or SOMA_API_TOKEN_FILE is required by `soma serve`.",
    )
    api_token_file: Path | None = setting(
        "SOMA_API_TOKEN_FILE",
        None,
        "File of bearer tokens, one a line; wins over SOMA_API_TOKEN and is read again when it changes.",
    )
    api_tokens_file: Path | None = setting(
        "SOMA_API_TOKENS_FILE",
        None,
        "YAML or JSON file of tokens with scopes and namespaces, by their SHA-256; read again when it changes.",
    )
    oidc_issuer: str | None = setting(
        "SOMA_OIDC_ISSUER", None, "Identity provider whose signed tokens (JWT) are accepted, as they name it in `iss`."
    )
    oidc_audience: str | None = setting(
        "SOMA_OIDC_AUDIENCE", None, "What such tokens must name in `aud`. Required with SOMA_OIDC_ISSUER."
    )
    oidc_jwks_url: str | None = setting(
        "SOMA_OIDC_JWKS_URL", None, "Where the provider's keys are; unset: its discovery document tells."
    )
    oidc_jwks_file: Path | None = setting(
        "SOMA_OIDC_JWKS_FILE", None, "File of the provider's keys, instead of asking it; read again once in a while."
    )
    oidc_scopes_claim: str = setting(
        "SOMA_OIDC_SCOPES_CLAIM", "scope", "Claim with read, write and admin, each also with `soma:` before it."
    )
    oidc_namespaces_claim: str = setting(
        "SOMA_OIDC_NAMESPACES_CLAIM", "namespaces", "Claim with the namespaces, the first one its own; `*` for all."
    )
    rate_limit_max: int = setting(
        "SOMA_RATE_LIMIT_MAX", 60, "Requests of one token to one route in a window; 0 or less: no limit."
    )
    rate_limit_window_seconds: float = setting(
        "SOMA_RATE_LIMIT_WINDOW_SECONDS", 60.0, "Length of the window; 0 or less: no limit."
    )
    max_request_body_mb: float = setting(
        "SOMA_MAX_REQUEST_BODY_MB", 5.0, "Largest request body in MiB, counted while it is read; 0 or less: no limit."
    )
    body_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = setting(
        "SOMA_BODY_TIMEOUT_SECONDS",
        30.0,
        "How long a request body may take, and each piece of a streamed one; beyond it: 408.",
    )
    cors_origins: tuple[str, ...] = setting(
        "SOMA_CORS_ORIGINS", (), "Origins that browsers may call from, separated by commas; empty: none."
    )
    hybrid_recall_default: bool = setting(
        "SOMA_HYBRID_RECALL_DEFAULT", True, "Whether a recall that does not say uses words besides vectors."
    )
    vector_dim: Annotated[int, Field(ge=16, le=8192)] = setting(
        "SOMA_VECTOR_DIM", 768, "Size of the dense vectors; a change rebuilds the index.", "MEMORY_VECTOR_DIM"
    )
    dense_weight: Annotated[float, Field(ge=0, le=1)] = setting(
        "SOMA_RECALL_DENSE_WEIGHT", 0.75, "Share of the dense list in a hybrid score."
    )
    sparse_weight: Annotated[float, Field(ge=0, le=1)] = setting(
        "SOMA_RECALL_SPARSE_WEIGHT", 0.25, "Share of the BM25 list in a hybrid score."
    )

    @field_validator("namespace")
    @classmethod
    def _namespace(cls, value: str) -> str:
        try:
            return check_namespace(value)
        except InvalidRequest as error:
            raise ValueError(str(error)) from None

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _provider(cls, value: str | None) -> str | None:
        if value is None:
            return None
        address(value, "https://HOST/PATH", "https", "http")
        if urlsplit(value).scheme == "http" and urlsplit(value).hostname not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("an identity provider is asked over https only")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def max_body_bytes(self) -> int | None:
        """The limit in bytes; None for none."""
        return int(self.max_request_body_mb * 1024 * 1024) if self.max_request_body_mb > 0 else None

    @property
    def limits_requests(self) -> bool:
        """Whether there is a rate limit at all."""
        return self.rate_limit_max > 0 and self.rate_limit_window_seconds > 0
