"""Options of the unit tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Golden files are rewritten on request only."""
    parser.addoption(
        "--update-golden", action="store_true", help="write expected results anew, to be reviewed as a diff"
    )
