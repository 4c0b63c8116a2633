"""What is remembered about the applies of this process, in memory only; it saves needless writes and may be lost."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Self

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj, uid_of
from somamemory_operator.model.rollout import generation_of


@dataclass(frozen=True)
class Applied:
    """What the rim remembers, in memory only, about the last apply of one object.

    `generation` is the one that an apply of ours last moved: a later one is somebody else's doing, and no drift.
    """

    wanted: str
    fields: str
    uid: str
    generation: int = field(default=0, compare=False)

    @classmethod
    def of(cls, body: Obj, live: Obj, *, before: Obj | None = None, last: Self | None = None) -> Self:
        """To be made from the body of an apply and the object that the API server answered with.

        `before` is the object as it was, and `last` what was remembered of it: an apply that leaves the generation as
        it was has changed nothing that its controller would have to look at.
        """
        generation = generation_of(live)
        if before is not None and last is not None and last.uid == uid_of(live) and generation_of(before) == generation:
            generation = last.generation
        return cls(hash_of(body), fields_digest(live), uid_of(live), generation)


def hash_of(body: Obj) -> str:
    """A hash of what we want of an object; the version that a guarded body is bound to does not count."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}
    return _digest(body | {"metadata": metadata})


def fields_digest(live: Obj, manager: str = names.FIELD_MANAGER) -> str:
    """A hash of the fields that the API server credits to the applies of `manager`; changes when one is taken."""
    entries = live["metadata"].get("managedFields") or ()
    mine = [
        entry.get("fieldsV1")
        for entry in entries
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")
    ]
    return _digest(mine)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
