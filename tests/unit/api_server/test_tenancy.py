"""What a task may see: set by the gate, inherited, and gone with the task."""

import asyncio

import pytest

from somafractalmemory import tenancy
from somafractalmemory.admission import Admission
from somafractalmemory.callers import Scope
from somafractalmemory.tokens import Tokens


async def test_an_admitted_task_is_confined_and_its_neighbours_are_not() -> None:
    gate = Admission(tokens=Tokens(text="t"), limiter=None, default_namespace="home")

    async def request(namespace: str | None) -> tuple[str, ...] | None:
        await gate.admit(authorization="Bearer t", namespace=namespace, operation="any", needs=Scope.READ)
        await asyncio.sleep(0)
        started = asyncio.create_task(visible())
        return await started

    async def visible() -> tuple[str, ...] | None:
        return tenancy.visible()

    seen = await asyncio.gather(*(asyncio.create_task(request(name)) for name in ("a", None, "b")))

    assert seen == [("a",), ("home",), ("b",)]
    assert tenancy.visible() is None


def test_a_confinement_ends_where_it_says_also_after_an_error() -> None:
    def fail() -> None:
        with tenancy.everywhere():
            assert tenancy.visible() is None
            raise ZeroDivisionError

    with tenancy.confined("a"):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert tenancy.visible() == ("a",)

    assert tenancy.visible() is None
