"""Recollections in this process keep the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.recollections import RecollectionsContract


class TestLocalRecollections(RecollectionsContract):
    """LocalRecollections."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
