"""The default embedder: no model, no network, a few microseconds a text.

Dense: every word and its letter trigrams are hashed to a signed axis and the sum is normalised, so that texts sharing
words, or nearly spelling them alike, point the same way. Words that every sentence has count a tenth. Sparse: BM25 term
weights by Qdrant's own encoder. The numbers are those that find most in `tests/bench`'s conversations.
"""

import asyncio
import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
from qdrant_edge import Bm25

from somafractalmemory.model import Embedding, SparseVector

_WORD = re.compile(r"\w+")
_MAX_WORDS = 4096
_TOGETHER = 32
_TRIGRAM_WEIGHT = 0.6
_COMMON_WEIGHT = 0.1
_COMMON_WORDS = """
a an and are as at be been but by did do does for from had has have how i in is it its me my of on or our she he so some
somebody that the their them there they this to was we were what when where which who why will with would you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())

Vector = npt.NDArray[np.float32]


class HashEmbedder:
    """Token feature hashing with BM25 beside it."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._bm25 = Bm25()
        self._axes = lru_cache(maxsize=50_000)(self._word_axes)
        self._feature = lru_cache(maxsize=50_000)(self._hashed)  # new words are made of known trigrams

    @property
    def revision(self) -> str:
        return f"hash2_{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    async def documents(self, texts: Sequence[str]) -> Sequence[Embedding]:
        embeddings: list[Embedding] = []
        for start in range(0, len(texts), _TOGETHER):
            if start:
                await asyncio.sleep(0)  # half a millisecond at a time: others want to go on, too
            some = texts[start : start + _TOGETHER]
            sparse = [self._sparse(self._bm25.embed_document(text)) for text in some]
            embeddings += map(Embedding, self._many(some), sparse)
        return embeddings

    async def query(self, text: str) -> Embedding:
        return Embedding(self.dense(text), self._sparse(self._bm25.embed_query(text)))

    def dense(self, text: str) -> Vector | None:
        """A unit vector, or None for a text without words."""
        return self._many([text])[0]

    def _many(self, texts: Sequence[str]) -> list[Vector | None]:
        """One for each text; together, because a call of numpy costs more than what it does for one of them."""
        sentences = [_WORD.findall(text.lower())[:_MAX_WORDS] for text in texts]
        parts = [(number, *self._axes(word)) for number, words in enumerate(sentences) for word in words]
        if not parts:
            return [None] * len(texts)
        rows, axes, weights = zip(*parts, strict=True)
        flat = np.concatenate(axes)
        flat += np.repeat(np.array(rows) * self._dimensions, [len(each) for each in axes])
        size = len(texts) * self._dimensions
        total = np.bincount(flat, weights=np.concatenate(weights), minlength=size).reshape(len(texts), -1)
        lengths = np.sqrt(np.einsum("ij,ij->i", total, total))
        units = (total / np.where(lengths == 0.0, 1.0, lengths)[:, np.newaxis]).astype(np.float32)
        return [unit if length else None for unit, length in zip(units, lengths, strict=True)]

    def _word_axes(self, word: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        padded = f"^{word[:64]}$"
        whole = _COMMON_WEIGHT if word in _COMMON else 1.0
        part = whole * _TRIGRAM_WEIGHT
        features = [(word, whole)] + [(padded[i : i + 3], part) for i in range(len(padded) - 2)]
        found = [(self._feature(name), weight) for name, weight in features]
        axes = np.array([axis for (axis, _), _ in found], dtype=np.int64)
        signs = np.array([sign * weight for (_, sign), weight in found], dtype=np.float64)
        return axes, signs

    def _hashed(self, name: str) -> tuple[int, float]:
        digest = int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
        return digest % self._dimensions, 1.0 if digest >> 63 else -1.0

    @staticmethod
    def _sparse(vector: object) -> SparseVector:
        return SparseVector(vector.indices, vector.values)  # type: ignore[attr-defined]
