"""While a server is away one caller waits for it, and nobody else does."""

import pytest

from somafractalmemory.adapters.circuit import Circuit
from somafractalmemory.errors import Unavailable


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_after_silence_one_caller_waits_and_the_others_are_told_at_once() -> None:
    circuit = Circuit("postgres", Clock())
    with circuit.call() as call:
        call.silent()

    with circuit.call() as waiting:
        for _ in range(3):
            with pytest.raises(Unavailable, match="postgres is unavailable") as refused, circuit.call():
                pytest.fail("a second caller was let through")
            assert refused.value.retry_after_seconds == 1.0
        waiting.silent()

    with circuit.call():  # the next one takes the turn
        pass


def test_an_answer_lets_everybody_through_again() -> None:
    circuit = Circuit("postgres", Clock())
    with circuit.call() as call:
        call.silent()
    with circuit.call() as call:
        call.answered()

    with circuit.call(), circuit.call():
        pass


def test_a_caller_that_ends_by_an_error_gives_its_turn_back() -> None:
    circuit = Circuit("postgres", Clock())
    with circuit.call() as call:
        call.silent()
    with pytest.raises(ZeroDivisionError), circuit.call():
        raise ZeroDivisionError

    with circuit.call():
        pass


def test_a_server_that_answered_others_meanwhile_is_busy_and_not_away() -> None:
    clock = Clock()
    circuit = Circuit("postgres", clock)
    with circuit.call() as slow:
        clock.now = 1.0
        with circuit.call() as quick:
            quick.answered()
        clock.now = 2.5
        slow.silent()

    with circuit.call(), circuit.call():
        pass
