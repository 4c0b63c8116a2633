"""What all groups of settings share: how a field is declared, and how its text is read."""

from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Positive = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=1, le=65535)]

_WORDS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def setting(name: str, default: Any, description: str, *aliases: str) -> Any:
    """A field that is read from the variable `name`, or from one of its older names."""
    return Field(default=default, validation_alias=AliasChoices(name, *aliases), description=description)


class Group(BaseModel):
    """Settings that belong together; in a file they stand below `section`, without it in their names."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    section: ClassVar[str] = ""

    @field_validator("*", mode="before")
    @classmethod
    def _yes_or_no(cls, value: Any, info: ValidationInfo) -> Any:
        """The one reader of booleans: the same words everywhere, others refused."""
        field = cls.model_fields.get(info.field_name or "")
        if field is None or field.annotation is not bool or isinstance(value, bool):
            return value
        try:
            return _WORDS[str(value).strip().lower()]
        except KeyError:
            raise ValueError("this is neither of 1, true, yes, on nor of 0, false, no, off") from None


def address(value: str, example: str, *schemes: str) -> str:
    """Checked here, because the stores' clients would only log it, again and again."""
    try:
        parts = urlsplit(value)
        readable = parts.scheme.partition("+")[0] in schemes and bool(parts.netloc)
        if schemes[0] != "postgresql":  # which may name several hosts, each with its port
            readable = readable and parts.hostname is not None and parts.port != 0
    except ValueError:
        readable = False
    if not readable:
        raise ValueError(f"this is no address such as {example}")
    return value


def joined(value: Any) -> Any:
    """A list in a file is what commas are in a variable."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value
