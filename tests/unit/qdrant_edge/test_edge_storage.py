"""Folders of collections: complete or not there."""

from pathlib import Path

import pytest

from qdrant_edge_server.catalogue import Catalogue
from qdrant_edge_server.errors import Conflict, NotFound

BODY = {"vectors": {"size": 2, "distance": "Dot"}}


def content(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "collections"


def test_a_collection_is_there_after_a_restart(folder: Path) -> None:
    first = Catalogue(folder)
    first.create("kept", BODY)
    first.close()

    second = Catalogue(folder)
    names = [name for name, _ in second.items()]
    second.close()

    assert names == ["kept"]


def test_what_cannot_be_made_leaves_nothing_behind(folder: Path) -> None:
    catalogue = Catalogue(folder)
    with pytest.raises(KeyError):
        catalogue.create("broken", {"vectors": {"size": 2}})

    assert list(folder.iterdir()) == []


def test_what_a_crash_left_unfinished_is_swept(folder: Path) -> None:
    (folder / ".unfinished-1" / "shard-1").mkdir(parents=True)
    Catalogue(folder).close()

    assert list(folder.iterdir()) == []


async def test_a_deleted_collection_is_gone_from_the_disk(folder: Path) -> None:
    catalogue = Catalogue(folder)
    catalogue.create("passing", BODY)
    deleted = [await catalogue.delete("passing"), await catalogue.delete("passing")]

    assert deleted == [True, False]
    assert content(folder) == []


def test_names_are_taken_once(folder: Path) -> None:
    catalogue = Catalogue(folder)
    catalogue.create("one", BODY)
    with pytest.raises(Conflict):
        catalogue.create("one", BODY)
    with pytest.raises(NotFound):
        catalogue["two"]
    catalogue.close()


def test_a_broken_collection_stops_the_start_and_is_named_with_the_remedy(folder: Path) -> None:
    (folder / "broken").mkdir(parents=True)
    (folder / "broken" / "collection.json").write_text('{"shard": "shard-1", "params": {}, "indexes": {}}')

    with pytest.raises(RuntimeError, match=r"broken cannot be opened.*snapshot"):
        Catalogue(folder)
