"""Importance between 0 and 1: bounded, never falling, learning for ever."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.model.importance import KEPT, Heard, Scale, Window, scale_of

importances = st.floats(-1e9, 1e9)
windows = st.lists(importances, max_size=KEPT) | st.lists(st.sampled_from([0.0, 1.0, 2.0, 100.0]), max_size=KEPT)


def heard(*values: float) -> Window:
    """A namespace in which these came, one after the other."""
    window = Window()
    for value in values:
        window = window.add(Heard.of(value))
    return window


@given(windows, importances, importances)
def test_any_scale_is_bounded_and_never_falls(basis: list[float], one: float, other: float) -> None:
    scale = scale_of(basis)
    low, high = sorted((one, other))

    assert 0.0 <= scale.norm(low) <= scale.norm(high) <= 1.0


@given(st.lists(importances, min_size=1, max_size=1300), st.integers(1, 600))
def test_a_window_keeps_the_last_and_counts_all(values: list[float], size: int) -> None:
    window = Window()
    for start in range(0, len(values), size):
        window = window.add(Heard.of(*values[start : start + size]))

    assert window.inserted == len(values)
    assert list(window.recent) == values[-KEPT:]
    assert window.inserted - window.based_at < 64


@pytest.mark.parametrize("count", [1, 63, 64, 600])
def test_equal_importances_are_one_half(count: int) -> None:
    """What everybody stores without an importance has 1.0. (core defect 5)"""
    assert scale_of(heard(*[1.0] * count).basis).norm(1.0) == 0.5


def test_a_full_window_goes_on_learning() -> None:
    """After 512 importances the scale still follows what comes. (core defect 6)"""
    window = heard(*range(600))
    before = scale_of(window.basis).norm(600.0)

    for value in range(1000, 1600):
        window = window.add(Heard.of(float(value)))

    assert before > 0.9
    assert scale_of(window.basis).norm(600.0) == 0.0
    assert scale_of(window.basis).norm(1599.0) > 0.9


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e10])
def test_what_is_no_importance_is_refused(value: float) -> None:
    """NaN and infinities change nothing. (core defect 7)"""
    with pytest.raises(InvalidRequest):
        Window().add(Heard.of(value))
    with pytest.raises(InvalidRequest):
        Scale("minmax", 0.0, 1.0).norm(value)


def test_zero_is_an_importance_like_any_other() -> None:
    """A quantile of 0.0 is no missing one. (core defect 7)"""
    values = [float(n % 201 - 100) for n in range(512)]
    scale = scale_of(values)

    assert scale.method == "minmax"
    assert scale.norm(0.0) == pytest.approx(0.5)
    logistic = scale_of([-1.0, 0.0, 0.0, 1.0] * 100 + [1e6] * 4)
    assert (logistic.method, logistic.middle) == ("logistic", 0.0)
    assert logistic.norm(0.0) == 0.5


def test_one_extreme_is_forgotten_with_the_window() -> None:
    """An outlier does not press everything else together for ever. (core defect 7)"""
    ordinary = [float(n % 10) for n in range(600)]
    window = heard(1e9, *ordinary)

    assert scale_of(window.basis).norm(9.0) == 1.0


def test_few_importances_are_measured_from_end_to_end() -> None:
    scale = scale_of(heard(1.0, 3.0, 2.0).basis)

    assert [scale.norm(value) for value in (0.0, 1.0, 2.0, 3.0, 9.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(
    ("values", "method"),
    [
        ([float(n) for n in range(100)], "minmax"),
        ([float(n) for n in range(100)] + [300.0], "winsor"),
        ([float(n) for n in range(100)] + [1e6] * 2, "logistic"),
        ([1.0] * 200 + [5.0, 9.0], "split"),
    ],
)
def test_the_shape_of_the_window_chooses_the_scale(values: list[float], method: str) -> None:
    scale = scale_of(values)

    assert scale.method == method
    assert scale.norm(min(values)) < scale.norm(max(values))


def test_among_equals_the_few_important_ones_stand_out() -> None:
    scale = scale_of([1.0] * 200 + [5.0, 9.0, 0.0])

    assert [scale.norm(value) for value in (0.0, 1.0, 5.0, 9.0)] == [0.0, 0.5, 0.75, 1.0]


def test_outliers_leave_the_rest_its_differences() -> None:
    """The logistic scale puts the tenth at 0.1 and 0.9 or nearer to the middle. (core.md 5)"""
    values = [float(n) for n in range(100)] + [1e6] * 2
    scale = scale_of(values)

    assert scale.norm(90.0) - scale.norm(10.0) > 0.2
    assert scale.norm(1e6) > 0.98
