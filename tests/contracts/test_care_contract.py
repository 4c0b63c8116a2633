"""The truth in this process keeps the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.care import CareContract


class TestLocalCare(CareContract):
    """LocalRecords."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
