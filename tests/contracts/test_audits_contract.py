"""The truth in this process keeps the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.audits import AuditsContract


class TestLocalAudits(AuditsContract):
    """LocalRecords."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
