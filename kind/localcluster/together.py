"""Two pieces of work at once: what waits for the network beside what needs the processor."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from localcluster.errors import StoppedError
from localcluster.progress import Progress

First = TypeVar("First")
Second = TypeVar("Second")


def both(progress: Progress, first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """Run both in threads of their own and return what they return.

    When one fails, the other is asked to stop and the failure is raised as soon as it has. So does an interrupt.
    """
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(first), pool.submit(second)
        futures: list[Future[Any]] = [one, other]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:
            progress.stop()
            raise
        if any(future.exception() for future in done):
            progress.stop()
    _raise_failure(futures)
    return one.result(), other.result()


def _raise_failure(futures: Sequence[Future[Any]]) -> None:
    """Raise what went wrong; that one was stopped because of the other is not it."""
    failures = [failure for future in futures if (failure := future.exception())]
    causes = [failure for failure in failures if not isinstance(failure, StoppedError)]
    for failure in (*causes, *failures):
        raise failure
