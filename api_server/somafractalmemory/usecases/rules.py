"""What a deployment wants to happen to its memories as time goes by."""

from dataclasses import dataclass, field
from typing import Literal

from somafractalmemory.model.decay import Decay
from somafractalmemory.security.sealing import Seal

AuditLevel = Literal["off", "writes", "all"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Nothing fades, nothing is encrypted, and nothing is deleted, unless said so. 0 means without end."""

    decay: Decay = field(default_factory=Decay)
    seal: Seal | None = None
    max_memories: int = 0
    audit: AuditLevel = "writes"
    audit_days: int = 365
