"""Exports and imports of a service that encrypts fields."""

import json
import os
from collections.abc import AsyncIterator

import pytest

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.local import LocalRecords, LocalVectors
from somafractalmemory.model import MemoryType
from somafractalmemory.model.ranking import Weights
from somafractalmemory.security.sealing import Seal
from somafractalmemory.service import MemoryService
from somafractalmemory.usecases.importing import ImportReport
from somafractalmemory.usecases.rules import Rules

SECRET = "the treasure is below the oak"


@pytest.fixture
def records() -> LocalRecords:
    return LocalRecords()


@pytest.fixture
async def service(records: LocalRecords) -> AsyncIterator[MemoryService]:
    """One that seals the field `secret`."""
    opened = MemoryService(
        records=records,
        vectors=LocalVectors(),
        embedder=HashEmbedder(64),
        weights=Weights(),
        rules=Rules(seal=Seal([os.urandom(32)], ["secret"])),
    )
    async with opened:
        yield opened


async def exported(service: MemoryService, namespace: str) -> bytes:
    return b"".join([lines async for lines in service.exporting.lines(namespace=namespace)])


async def imported(service: MemoryService, file: bytes) -> ImportReport:
    async def lines() -> AsyncIterator[bytes]:
        for line in file.splitlines():
            yield line

    return await service.importing.take(lines(), namespace="there")


async def test_secrets_leave_open_and_come_back_sealed(service: MemoryService, records: LocalRecords) -> None:
    """An export fits any key, and is itself a secret; the truth never holds one. (X-08)"""
    for number in range(2):
        await service.remember(
            namespace="here",
            coordinate=(1.0,),
            payload={"fact": "oaks grow", "secret": SECRET, "n": number},
            memory_type=MemoryType.SEMANTIC,
        )
    file = await exported(service, "here")
    memory = json.loads(file.splitlines()[1])
    assert (memory["payload"]["secret"], memory["versions"][0]["payload"]["secret"]) == (SECRET, SECRET)

    first, second = await imported(service, file), await imported(service, file)

    assert (first.created, first.complete, second.unchanged) == (1, True, 1)
    kept = [row.payload for row in records._rows.values()]
    kept += [row.payload for past in records.lookups.older.values() for row in past]
    assert len(kept) == 4
    assert all("$sealed" in payload and SECRET not in str(payload) for payload in kept)
    assert (await exported(service, "there")).splitlines()[1:] == file.splitlines()[1:]
    versions = await service.versions(namespace="there", coordinate=(1.0,))
    assert [version.payload["secret"] for version in versions] == [SECRET, SECRET]
