"""Request keys in this process keep the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.keys import KeysContract


class TestLocalKeys(KeysContract):
    """LocalRecords."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
