"""Settings of what happens to memories as time goes by: size, decay, encryption, audit."""

from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, ValidationInfo, field_validator, model_validator

from somafractalmemory.settings.fields import Group, Positive, joined, setting

Seconds = Annotated[float, Field(ge=0)]
Key = Annotated[str, Field(min_length=1, max_length=256)]


class LifecycleSettings(Group):
    """At the top of a file."""

    max_memory_size: Annotated[int, Field(ge=0)] = setting(
        "SOMA_MAX_MEMORY_SIZE",
        0,
        "Most memories of a namespace; beyond it the least important, oldest first, are deleted. 0: no limit.",
    )
    pruning_interval_seconds: Positive = setting(
        "SOMA_PRUNING_INTERVAL_SECONDS", 600.0, "How often decay and the size limit are carried out."
    )
    decay_enabled: bool = setting("SOMA_DECAY_ENABLED", True, "Whether fields of old memories fade.")
    decay_thresholds_seconds: tuple[Seconds, ...] = setting(
        "SOMA_DECAY_THRESHOLDS_SECONDS", (), "Age at which each level of fields fades, such as 86400,604800."
    )
    decayable_keys_by_level: tuple[tuple[Key, ...], ...] = setting(
        "SOMA_DECAYABLE_KEYS_BY_LEVEL",
        (),
        "Fields of each level, such as scratch,draft;notes or a JSON list of lists.",
    )
    encryption_key_file: Path | None = setting(
        "SOMA_ENCRYPTION_KEY_FILE",
        None,
        "File of keys, one a line, 32 bytes in Base64 each; the first one encrypts, all decrypt. Unset: no encryption.",
    )
    encrypted_fields: str = setting(
        "SOMA_ENCRYPTED_FIELDS", "task,code", "Fields that are encrypted, separated by commas; *: all of them."
    )
    audit: Literal["off", "writes", "all"] = setting(
        "SOMA_AUDIT", "writes", "writes: deletions, erasures, imports, administration. all: stores, too. off: nothing."
    )
    audit_days: Annotated[int, Field(ge=0)] = setting(
        "SOMA_AUDIT_DAYS", 365, "How long rows of the audit are kept; 0: for ever."
    )

    @field_validator("decay_thresholds_seconds", mode="before")
    @classmethod
    def _thresholds(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return _json(value) if value.lstrip().startswith("[") else [part for part in value.split(",") if part.strip()]

    @field_validator("decayable_keys_by_level", mode="before")
    @classmethod
    def _levels(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return _json(value)
        return [[key.strip() for key in level.split(",") if key.strip()] for level in value.split(";")]

    @field_validator("encrypted_fields", mode="before")
    @classmethod
    def _fields(cls, value: Any, _: ValidationInfo) -> Any:
        return joined(value)

    @model_validator(mode="after")
    def _every_level_has_an_age(self) -> "LifecycleSettings":
        if len(self.decayable_keys_by_level) > len(self.decay_thresholds_seconds):
            raise ValueError(
                "SOMA_DECAYABLE_KEYS_BY_LEVEL: it has more levels than SOMA_DECAY_THRESHOLDS_SECONDS has ages"
            )
        return self

    @property
    def secret_fields(self) -> tuple[str, ...]:
        """The names of the fields to encrypt."""
        return tuple(name.strip() for name in self.encrypted_fields.split(",") if name.strip())


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError("this is no JSON list") from None
