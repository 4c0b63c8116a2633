"""Settings, from the same environment variables as Qdrant's server."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once, at the start. Variables of Qdrant that mean nothing here are ignored, so its manifests serve both."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    host: str = Field(default="0.0.0.0", alias="QDRANT__SERVICE__HOST")  # noqa: S104  (a server in a pod)
    port: int = Field(default=6333, alias="QDRANT__SERVICE__HTTP_PORT")
    api_key: SecretStr = Field(default=SecretStr(""), alias="QDRANT__SERVICE__API_KEY")
    read_only_api_key: SecretStr = Field(default=SecretStr(""), alias="QDRANT__SERVICE__READ_ONLY_API_KEY")
    enable_tls: bool = Field(default=False, alias="QDRANT__SERVICE__ENABLE_TLS")
    certificate: Path = Field(default=Path("tls/cert.pem"), alias="QDRANT__TLS__CERT")
    certificate_key: Path = Field(default=Path("tls/key.pem"), alias="QDRANT__TLS__KEY")
    certificate_seconds: int = Field(default=3600, ge=0, alias="QDRANT__TLS__CERT_TTL")
    max_request_megabytes: int = Field(default=32, gt=0, alias="QDRANT__SERVICE__MAX_REQUEST_SIZE_MB")
    storage_path: Path = Field(default=Path("storage"), alias="QDRANT__STORAGE__STORAGE_PATH")
    snapshots_path: Path | None = Field(default=None, alias="QDRANT__STORAGE__SNAPSHOTS_PATH")
    flush_seconds: float = Field(default=5, gt=0, alias="QDRANT__STORAGE__OPTIMIZERS__FLUSH_INTERVAL_SEC")
    index_from_points: int = Field(default=50_000, ge=0, alias="QDRANT_EDGE_INDEX_FROM_POINTS")
    index_check_seconds: float = Field(default=30, gt=0, alias="QDRANT_EDGE_INDEX_CHECK_SECONDS")
    log_level: str = Field(default="INFO", alias="QDRANT__LOG_LEVEL")

    @property
    def snapshots_folder(self) -> Path:
        """Where snapshots go: their own volume if one is named, else beside the collections."""
        return self.snapshots_path or self.storage_path / "snapshots"
