"""The suites are plain modules that test classes inherit from; pytest explains their assertions too."""

import pytest

pytest.register_assert_rewrite(*(f"tests.contracts.{name}" for name in ("limiter", "records", "topic", "vectors")))
