"""Versions in this process keep the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.versions import VersionsContract


class TestLocalVersions(VersionsContract):
    """LocalRecords."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
