"""The memory system as one object, for programs that are not asynchronous. `factory` makes it."""

from somafractalmemory.errors import SomaError
from somafractalmemory.model import MemoryType
from somafractalmemory.synchronous.keeping import Keeping
from somafractalmemory.synchronous.reading import Reading
from somafractalmemory.synchronous.reflecting import Reflecting
from somafractalmemory.synchronous.writing import Writing

__all__ = ["MemoryType", "SomaFractalMemoryEnterprise", "SomaFractalMemoryError"]

SomaFractalMemoryError = SomaError
"""Everything that goes wrong on purpose; `errors` draws the tree below it."""


class SomaFractalMemoryEnterprise(Writing, Reading, Reflecting, Keeping):
    """Every operation of the service on one namespace, each waiting until it is done.

    All of them may be called from any thread. Close it, or use it in a `with` statement; it closes itself when the
    program ends.
    """

    def __enter__(self) -> "SomaFractalMemoryEnterprise":
        return self
