"""What a token stands for."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a token allows; none of them implies another."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `name` is short, fit for logs, and never the token itself; no namespaces means any of them."""

    name: str
    scopes: frozenset[Scope] = frozenset(Scope)
    namespaces: tuple[str, ...] = ()

    @property
    def home(self) -> str | None:
        """Where its requests go that name no namespace; None for the service's default."""
        return self.namespaces[0] if self.namespaces else None

    def may_enter(self, namespace: str) -> bool:
        """Whether it may work there."""
        return not self.namespaces or namespace in self.namespaces
