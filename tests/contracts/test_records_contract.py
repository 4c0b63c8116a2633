"""The truth in this process keeps the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.records import RecordsContract, Truth


class TestLocalRecords(RecordsContract):
    """LocalRecords."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()

    async def logged(self, _records: Truth) -> int:
        assert isinstance(_records, LocalRecords)
        return len(_records.log)
