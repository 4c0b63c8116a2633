"""What every truth promises about the audit. A subclass brings the fixture `records`."""

import asyncio

from somafractalmemory.ports.care import AuditRow, Deed
from somafractalmemory.security.acting import act_as
from tests.contracts.records import Truth, a_memory


async def rows(
    records: Truth, *, action: str | None = None, before: int | None = None, limit: int = 10
) -> list[AuditRow]:
    """The audit of `here`."""
    return list(await records.audits.page("here", action=action, before=before, limit=limit))


class AuditsContract:
    """Behaviour, not implementation."""

    async def test_a_deletion_writes_down_who_did_it(self, records: Truth) -> None:
        """The audit is in the truth, in the transaction of the deed. (core defect 26)"""
        memory = a_memory(1.0, 2.5)
        await records.save([memory])

        async def delete() -> None:
            act_as("somebody", "request-7")
            await records.delete([memory.id, a_memory(9.0).id])

        await asyncio.create_task(delete())

        (row,) = await rows(records)
        assert (row.caller, row.request_id, row.deed.action) == ("somebody", "request-7", "delete")
        assert (row.deed.namespace, row.deed.coordinate, row.deed.memory_id) == ("here", (1.0, 2.5), memory.id)
        assert row.at > 0

    async def test_deeds_are_paged_newest_first(self, records: Truth) -> None:
        deeds = [Deed("erase" if n % 2 else "import", "here", None, None, {"n": n}) for n in range(5)]
        await records.audits.append([(deed, "a", None) for deed in deeds])
        await records.audits.append([(Deed("erase", "elsewhere", (1.0,)), "b", "r")])

        first = await rows(records, limit=2)
        rest = await rows(records, before=first[-1].number)

        assert [row.deed for row in [*first, *rest]] == deeds[::-1]
        assert [row.deed.details["n"] for row in await rows(records, action="erase")] == [3, 1]

    async def test_old_rows_are_trimmed(self, records: Truth) -> None:
        await records.audits.append([(Deed("erase", "here", None, None, {"n": n}), "a", None) for n in range(5)])

        assert await records.audits.trim(1.0, 10) == 0
        assert await records.audits.trim(1e12, 2) == 2
        assert [row.deed.details["n"] for row in await rows(records)] == [4, 3, 2]
