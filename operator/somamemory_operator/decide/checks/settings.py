"""What is wrong with a spec by itself."""

import re
from collections.abc import Iterator

from somamemory_operator.decide import credentials, reserved, sources
from somamemory_operator.model import names
from somamemory_operator.model.errors import Problem
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import World
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory


def name_fits(memory: SomaMemory, _world: World) -> Iterator[Problem]:
    """The API server's rules say the same; this is for `render` and for resources older than the rules."""
    if len(memory.name) > names.LONGEST_NAME:
        yield Problem(
            Reason.NAME_TOO_LONG,
            f"The name has {len(memory.name)} characters, but names made from it allow {names.LONGEST_NAME}: "
            "create the SomaMemory again under a shorter name.",
        )
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", memory.name):
        yield Problem(
            Reason.INVALID_SPEC,
            "Services are named after the SomaMemory, so its name must start with a letter and hold only small "
            "letters, digits and '-': create it again under such a name.",
        )


def settings_are_free(memory: SomaMemory, _world: World) -> Iterator[Problem]:
    """Settings that connect the parts belong to the operator."""
    for store in STORES:
        config = getattr(memory.spec, store.value).config
        taken = sorted(name for name in config if _is_taken(store, name))
        if taken:
            yield Problem(
                Reason.RESERVED_SETTING,
                f"spec.{store.value}.config sets {', '.join(taken)}, which the operator decides: remove it.",
            )


def variables_are_free(memory: SomaMemory, _world: World) -> Iterator[Problem]:
    """Variables that connect the parts belong to the operator."""
    for part, workload in (("api", memory.spec.api), ("consumer", memory.spec.consumer)):
        taken = sorted({variable.name for variable in workload.env} & reserved.VARIABLES)
        if taken:
            yield Problem(
                Reason.RESERVED_SETTING,
                f"spec.{part}.env sets {', '.join(taken)}, which the operator decides: remove it, "
                "and use the field of the spec for it if there is one.",
            )


def _is_taken(store: Component, name: str) -> bool:
    if store is Component.QDRANT and not name.startswith("QDRANT__"):
        return True
    known = reserved.SETTINGS[store]
    return (name if store is Component.QDRANT else name.lower()) in known


def secrets_are_others(memory: SomaMemory, _: World) -> Iterator[Problem]:
    """What the operator writes itself is no source of anything."""
    own = {
        *credentials.secret_names(memory.name),
        names.program_credentials(memory.name),
        names.api_tokens(memory.name),
        names.config(memory.name, Component.REDIS),
    }
    if taken := sorted(sources.secrets_of(memory) & own):
        text = f"Secret {taken[0]} is the operator's own: name another in spec.secrets, it is copied into that one."
        yield Problem(Reason.SECRET_NAME_TAKEN, text)
