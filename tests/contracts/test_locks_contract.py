"""The locks of one process keep the contract."""

import pytest

from somafractalmemory.adapters.local_locks import LocalLocks
from tests.contracts.locks import LocksContract


class TestLocalLocks(LocksContract):
    """LocalLocks."""

    @pytest.fixture
    def locks(self) -> LocalLocks:
        return LocalLocks()
