"""The truth in this process keeps the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.states import StatesContract


class TestLocalTruthStates(StatesContract):
    """LocalRecords."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
