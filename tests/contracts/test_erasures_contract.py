"""Erasing in this process keeps the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.erasures import ErasuresContract


class TestLocalErasures(ErasuresContract):
    """LocalRecords."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
