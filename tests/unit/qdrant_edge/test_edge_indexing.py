"""When graphs are built."""

import pytest

from qdrant_edge_server.indexing import is_due


@pytest.mark.parametrize(
    ("points", "at_last_build", "from_points", "due"),
    [
        (19_999, 0, 20_000, False),
        (20_000, 0, 20_000, True),
        (29_999, 20_000, 20_000, False),
        (30_000, 20_000, 20_000, True),
        (1_000_000, 0, 0, False),
    ],
)
def test_a_collection_is_indexed_when_large_and_again_when_it_has_grown_by_half(
    points: int, at_last_build: int, from_points: int, due: bool
) -> None:
    assert is_due(points, at_last_build, from_points) is due
