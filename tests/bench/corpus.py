"""Texts that are the same in every run."""

import random

_WORDS = [
    f"{start}{middle}{end}"
    for start in ("ba", "co", "du", "fe", "gi", "la", "mo", "nu", "pe", "ri")
    for middle in ("r", "l", "n", "st", "m", "nd", "t", "v")
    for end in ("a", "o", "er", "ing", "ed", "al", "um", "ix", "on", "et")
]


def fact(number: int) -> str:
    """About a dozen words, and one that is its own."""
    chosen = random.Random(number)
    return f"{' '.join(chosen.choices(_WORDS, k=12))} item{number}"


def question(number: int) -> str:
    """Some words of that fact."""
    return " ".join(fact(number).split()[3:9])
