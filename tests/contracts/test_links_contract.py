"""Links in this process keep the contract."""

import pytest

from somafractalmemory.adapters.local import LocalRecords
from tests.contracts.links import LinksContract


class TestLocalLinks(LinksContract):
    """LocalLinks."""

    @pytest.fixture
    def records(self) -> LocalRecords:
        return LocalRecords()
