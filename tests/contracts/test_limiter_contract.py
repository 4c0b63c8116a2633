"""The limiter of one process keeps the contract, alone and as the fallback of one that is away."""

import pytest

from somafractalmemory.adapters.local import LocalLimiter
from somafractalmemory.adapters.redis import FallbackLimiter
from somafractalmemory.ports import Limiter
from tests.contracts.limiter import LimiterContract, OpenLimiter


class TestLocalLimiter(LimiterContract):
    """LocalLimiter."""

    @pytest.fixture
    def open_limiter(self) -> OpenLimiter:
        async def opened(limit: int, window_seconds: float) -> Limiter:
            return LocalLimiter(limit=limit, window_seconds=window_seconds)

        return opened


class TestFallbackLimiter(LimiterContract):
    """FallbackLimiter over one that answers."""

    @pytest.fixture
    def open_limiter(self) -> OpenLimiter:
        async def opened(limit: int, window_seconds: float) -> Limiter:
            primary = LocalLimiter(limit=limit, window_seconds=window_seconds)
            return FallbackLimiter(primary, LocalLimiter(limit=1, window_seconds=60.0))

        return opened
