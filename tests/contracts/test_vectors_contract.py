"""The index in this process keeps the contract."""

import pytest

from somafractalmemory.adapters.local import LocalVectors
from tests.contracts.vectors import VectorsContract


class TestLocalVectors(VectorsContract):
    """LocalVectors."""

    @pytest.fixture
    def new_vectors(self) -> LocalVectors:
        return LocalVectors(complete=False)
