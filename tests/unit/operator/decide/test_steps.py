"""Which versions a store's data survives, and how a version is told from an image."""

import pytest

from somamemory_operator.decide.steps import Version, obstacle, version_of
from somamemory_operator.model.names import Component
from somamemory_operator.model.reasons import Reason

DIGEST = "@sha256:" + "0" * 64

IMAGES: dict[str, Version | None] = {
    "docker.io/library/postgres:16": (16,),
    "docker.io/library/postgres:16.4": (16, 4),
    "docker.io/library/postgres:17-bookworm": (17,),
    "docker.io/qdrant/qdrant:v1.16.3-unprivileged": (1, 16, 3),
    "localhost:5000/kafka:4.1.0": (4, 1, 0),
    "localhost:5000/kafka": None,
    "docker.io/library/redis:latest": None,
    "docker.io/library/redis:7.4.1" + DIGEST: None,
    "localhost/somamemory/redis:01234567": None,
    "localhost/somamemory/redis:7f1c2b3a": None,
    "localhost/somamemory/redis:20260131": None,
}


@pytest.mark.parametrize("image", IMAGES)
def test_a_version_is_told_from_the_tag_or_not_at_all(image: str) -> None:
    assert version_of(image) == IMAGES[image]


SURVIVED = [
    ("postgres", "16", "16.4"),
    ("postgres", "16.4", "16.3"),  # minor releases read each other's data
    ("redis", "6.2", "8.2"),
    ("redis", "7", "7.4"),
    ("redis", "7.4.2", "7.4.1"),
    ("qdrant", "v1.16.3", "v1.16.3-unprivileged"),
    ("qdrant", "v1.16.3", "v1.17.0"),
    ("qdrant", "v1", "v1.17.0"),
    ("kafka", "4.1.0", "4.3.1"),
    ("kafka", "3.9.1", "4.1.0"),
    ("kafka", "3.3.1", "4.0.0"),
    ("kafka", "4.1.1", "4.1.0"),
    ("kafka", "0123abcd", "4.1.0"),
    ("postgres", "17", "latest"),
]

REFUSED = [
    ("postgres", "16", "17", Reason.UNSUPPORTED_UPGRADE, "Postgres 17 cannot open the data of Postgres 16"),
    ("postgres", "17.2", "16.9", Reason.DOWNGRADE, "set spec.postgres.image.tag to 17.2 or newer"),
    ("redis", "8.2", "7.4", Reason.DOWNGRADE, "written by Redis 8.2 and does not fit the older 7.4"),
    ("qdrant", "v1.15.4", "v1.17.0", Reason.UNSUPPORTED_UPGRADE, "to the newest release of 1.16 first"),
    ("qdrant", "v1.16.3", "v2.0.0", Reason.UNSUPPORTED_UPGRADE, "no way is known from Qdrant 1.16.3 to 2.0.0"),
    ("qdrant", "v1.16.3", "v1.16.2", Reason.DOWNGRADE, "1.16.3 or newer"),
    ("qdrant", "v1.17", "v1.16", Reason.DOWNGRADE, "1.17 or newer"),
    ("kafka", "4.1.0", "4.0.1", Reason.DOWNGRADE, "4.1.0 or newer"),
    ("kafka", "3.2.3", "4.1.0", Reason.UNSUPPORTED_UPGRADE, "takes over from 3.3 or newer"),
]


@pytest.mark.parametrize(("store", "before", "after"), SURVIVED)
def test_steps_that_the_data_survives(store: str, before: str, after: str) -> None:
    assert obstacle(Component(store), f"example.org/x:{before}", f"example.org/x:{after}") is None


@pytest.mark.parametrize(("store", "before", "after", "reason", "words"), REFUSED)
def test_steps_that_it_does_not(store: str, before: str, after: str, reason: Reason, words: str) -> None:
    found = obstacle(Component(store), f"example.org/x:{before}", f"example.org/x:{after}")

    assert found is not None
    assert found.reason is reason
    assert words in found.message
    assert found.message.endswith(".")
