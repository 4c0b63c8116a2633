"""The index in a folder keeps the same contract. No server is needed; making an index takes its time, though."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from somafractalmemory.adapters.vector_file import FileVectors, open_vector_file
from somafractalmemory.errors import ConfigurationError
from tests.contracts.vectors import DIMENSIONS, VectorsContract, a_point, found


class TestFileVectors(VectorsContract):
    """FileVectors."""

    @pytest.fixture
    async def new_vectors(self, tmp_path: Path) -> AsyncIterator[FileVectors]:
        async with open_vector_file(tmp_path / "index", dimensions=DIMENSIONS) as opened:
            yield opened

    async def test_everything_is_there_after_a_restart(self, tmp_path: Path) -> None:
        point = await a_point("herons wade", version=3)
        folder = tmp_path / "kept"
        async with open_vector_file(folder, dimensions=DIMENSIONS) as before:
            await before.upsert([point])
            await before.mark_complete()
            birth = await before.birth()

        async with open_vector_file(folder, dimensions=DIMENSIONS) as after:
            assert (await found(after, "herons"))[point.id].version == 3
            assert await after.is_complete()
            assert await after.birth() == birth

    async def test_a_deleted_folder_is_a_new_index(self, tmp_path: Path) -> None:
        """(S-115)"""
        folder = tmp_path / "qdrant.db"
        async with open_vector_file(folder, dimensions=DIMENSIONS) as before:
            await before.mark_complete()
        shutil.rmtree(folder)

        async with open_vector_file(folder, dimensions=DIMENSIONS) as after:
            assert not await after.is_complete()

    async def test_a_folder_is_for_one_process_and_for_an_index(self, tmp_path: Path) -> None:
        async with open_vector_file(tmp_path / "used", dimensions=DIMENSIONS):
            with pytest.raises(ConfigurationError, match="another process"):
                async with open_vector_file(tmp_path / "used", dimensions=DIMENSIONS):
                    pass
        (tmp_path / "broken" / "shard").mkdir(parents=True)
        with pytest.raises(ConfigurationError, match="delete it"):
            async with open_vector_file(tmp_path / "broken", dimensions=DIMENSIONS):
                pass
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigurationError, match="cannot be written"):
            async with open_vector_file(tmp_path / "file" / "below", dimensions=DIMENSIONS):
                pass
