"""Lookups in this process keep the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.lookups import LookupsContract


class TestLocalLookups(LookupsContract):
    """LocalLookups."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
