"""Sizes in the notation of Kubernetes."""

from fractions import Fraction


def quantity_bytes(text: str) -> int:
    """The size that a quantity means, in bytes; `1Gi` is 1073741824. Raises ValueError for anything else."""
    for suffix, factor in _FACTORS.items():
        if text.endswith(suffix):
            return int(float(text.removesuffix(suffix)) * factor)
    return int(float(text))


_FACTORS = {f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", start=1)} | {
    letter: 1000**power for power, letter in enumerate("kMGTPE", start=1)
}


def exact_quantity(text: str) -> Fraction:
    """The number that a quantity means, also one of CPUs: `500m` is 1/2. Raises ValueError for anything else."""
    for suffix, factor in {**_FACTORS, "m": Fraction(1, 1000)}.items():
        if text.endswith(suffix):
            return Fraction(text.removesuffix(suffix)) * Fraction(factor)
    return Fraction(text)
