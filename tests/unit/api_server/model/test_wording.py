"""When a term occurs in a text."""

import pytest

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.model.wording import MAX_TERMS, Mode, candidate_terms, coverage, occurs, term_of

TEXT = "The Tide-table of Kiel: high water 0x1F at 12:30, Größe 5%_x"


@pytest.mark.parametrize(
    ("text", "mode", "found"),
    [
        ("water high", Mode.WORD, True),
        ("water tables", Mode.WORD, False),
        ("high water", Mode.PHRASE, True),
        ("water high", Mode.PHRASE, False),
        ("tide table", Mode.PHRASE, True),
        ("tid", Mode.WORD, False),
        ("tid", Mode.SUBSTRING, True),
        ("5%_", Mode.SUBSTRING, True),
        ("5__", Mode.SUBSTRING, False),
        ("GRÖSSE", Mode.WORD, False),
        ("GRÖ", Mode.SUBSTRING, True),
        (".", Mode.SUBSTRING, False),
    ],
)
def test_each_mode_means_what_it_says(text: str, mode: Mode, found: bool) -> None:
    assert occurs(term_of(text, mode), TEXT) is found


def test_case_counts_only_when_told() -> None:
    assert occurs(term_of("kiel", Mode.WORD), TEXT)
    assert not occurs(term_of("kiel", Mode.WORD, case_sensitive=True), TEXT)
    assert occurs(term_of("Kiel", Mode.WORD, case_sensitive=True), TEXT)


@pytest.mark.parametrize(("text", "mode"), [("", Mode.WORD), ("!?", Mode.PHRASE), ("  ", Mode.SUBSTRING)])
def test_a_term_that_says_nothing_is_refused(text: str, mode: Mode) -> None:
    with pytest.raises(InvalidRequest):
        term_of(text, mode)


def test_terms_of_a_query_are_its_quotes_numbers_and_longer_words() -> None:
    assert candidate_terms("why is \"high tide\" at 0xAF in 'old Kiel' so-late so-late?") == [
        "high tide",
        "0xAF",
        "old Kiel",
        "so-late",
    ]
    assert len(candidate_terms(" ".join(f"word{n}" for n in range(100)))) == MAX_TERMS


def test_coverage_is_the_share_of_terms_that_occur() -> None:
    terms = [term_of(text, Mode.WORD) for text in ("kiel", "water", "lübeck", "oslo")]

    assert coverage(terms, TEXT) == 0.5
    assert coverage([], TEXT) == 0.0
