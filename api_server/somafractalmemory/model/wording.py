"""What it means that a term occurs in a memory. Pure; every truth and every score means the same by it.

The text is the one of `searchable_text`: the caller's values, in order, and nothing of ours.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from somafractalmemory.errors import InvalidRequest

MAX_TERMS = 32
MAX_TERM = 256
_WORD = re.compile(r"\w+")
_CANDIDATE = re.compile(r'"([^"]{1,256})"|\'([^\']{1,256})\'|\b(0x[0-9A-Fa-f]{1,64})\b|\b([A-Za-z0-9_-]{4,256})\b')


class Mode(StrEnum):
    """`word`: every word, anywhere. `phrase`: the words in this order. `substring`: the very characters."""

    WORD = "word"
    PHRASE = "phrase"
    SUBSTRING = "substring"


@dataclass(frozen=True, slots=True)
class Term:
    """What to look for; `words` holds its words, none for a substring."""

    text: str
    mode: Mode
    case_sensitive: bool = False

    @property
    def words(self) -> list[str]:
        return [] if self.mode is Mode.SUBSTRING else _WORD.findall(self.text)


def term_of(text: str, mode: Mode, *, case_sensitive: bool = False, loc: tuple[str | int, ...] = ("term",)) -> Term:
    """Raises InvalidRequest for a term that nothing could contain, or everything."""
    name = ".".join(map(str, loc))
    if "\x00" in text:
        raise InvalidRequest(f"{name}: a term cannot hold the NUL character", loc=loc)
    term = Term(unicodedata.normalize("NFC", text), mode, case_sensitive)
    if mode is Mode.SUBSTRING and not text.strip():
        raise InvalidRequest(f"{name}: a term is more than blanks", loc=loc)
    if mode is not Mode.SUBSTRING and not term.words:
        raise InvalidRequest(
            f"{name}: a whole word has a letter or digit; to find signs, use mode substring or exact: false", loc=loc
        )
    return term


def occurs(term: Term, text: str) -> bool:
    """Whether the text contains the term."""
    return all(pattern.search(text) for pattern in _patterns(term))


def coverage(terms: Sequence[Term], text: str) -> float:
    """The share of the terms that occur: 0 to 1."""
    return sum(occurs(term, text) for term in terms) / len(terms) if terms else 0.0


def candidate_terms(query: str) -> list[str]:
    """Quoted phrases, hexadecimal numbers and words of four letters or more; each once, in order, bounded."""
    found = (next(filter(None, match.groups())) for match in _CANDIDATE.finditer(query))
    return list(dict.fromkeys(found))[:MAX_TERMS]


@lru_cache(maxsize=512)
def _patterns(term: Term) -> tuple[re.Pattern[str], ...]:
    flags = re.NOFLAG if term.case_sensitive else re.IGNORECASE
    if term.mode is Mode.SUBSTRING:
        return (re.compile(re.escape(term.text), flags),)
    words = [re.escape(word) for word in term.words]
    bodies = words if term.mode is Mode.WORD else [r"\W+".join(words)]
    return tuple(re.compile(rf"(?<!\w){body}(?!\w)", flags) for body in bodies)
