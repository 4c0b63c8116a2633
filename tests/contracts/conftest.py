"""The suites are plain modules that test classes inherit from; pytest explains their assertions too."""

import pytest

pytest.register_assert_rewrite("tests.contracts.vectors", "tests.contracts.limiter", "tests.contracts.topic")
