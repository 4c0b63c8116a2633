"""Transfers in this process keep the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.transfers import TransfersContract


class TestLocalTransfers(TransfersContract):
    """LocalRecords."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
