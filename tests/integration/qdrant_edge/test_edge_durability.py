"""What was acknowledged survives the worst end, and can be packed up and put back."""

import io
import tarfile
import threading
from pathlib import Path

import httpx
import pytest
from qdrant_client import AsyncQdrantClient, QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from tests.integration.qdrant_edge.conftest import SIZE, point
from tests.services.qdrant import QdrantEdgeServer


def connected(server: QdrantEdgeServer) -> QdrantClient:
    with pytest.warns(UserWarning, match="insecure connection"):
        return QdrantClient(
            host="127.0.0.1", port=server.port, https=False, api_key=server.api_key, check_compatibility=False
        )


def write_until_refused(client: QdrantClient, acknowledged: list[int]) -> None:
    number = 0
    try:
        while True:
            number += 1
            client.upsert("kept", [point(number)], wait=True)
            acknowledged.append(number)
    except Exception:
        return


def test_every_acknowledged_point_survives_kill_9() -> None:
    with QdrantEdgeServer() as server:
        client = connected(server)
        client.create_collection(
            "kept", vectors_config={"dense": models.VectorParams(size=SIZE, distance=models.Distance.COSINE)},
            sparse_vectors_config={"text": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )  # fmt: skip
        client.create_payload_index("kept", "namespace", models.PayloadSchemaType.KEYWORD)
        lost: list[set[str]] = []
        for _ in range(3):
            # Given a writer at full speed, when the server is killed while it writes
            acknowledged: list[int] = []
            writer = threading.Thread(target=write_until_refused, args=(client, acknowledged))
            writer.start()
            while len(acknowledged) < 200 and writer.is_alive():
                writer.join(0.01)
            server.kill9()
            writer.join()
            server.start()
            # Then everything it was told is done is there
            found = client.retrieve("kept", [str(point(number).id) for number in acknowledged])
            lost.append({str(point(number).id) for number in acknowledged} - {str(record.id) for record in found})
            client.delete("kept", models.FilterSelector(filter=models.Filter(must=[])), wait=True)
        described = client.get_collection("kept")
        client.close()

    assert lost == [set(), set(), set()]
    assert set(described.payload_schema) == {"namespace"}


async def test_a_snapshot_is_listed_downloaded_restored_and_deleted(
    client: AsyncQdrantClient, collection: str, qdrant_server: QdrantEdgeServer, tmp_path: Path
) -> None:
    await client.upsert(collection, [point(1), point(2)])
    made = await client.create_snapshot(collection)
    assert made is not None
    listed = await client.list_snapshots(collection)
    async with httpx.AsyncClient(base_url=qdrant_server.url, headers={"api-key": qdrant_server.api_key}) as http:
        packed = (await http.get(f"/collections/{collection}/snapshots/{made.name}")).content
    await client.delete(collection, [point(1).id])
    location = qdrant_server.folder / "storage/snapshots" / collection / made.name
    await client.recover_snapshot(collection, f"file://{location}")
    restored = await client.count(collection)
    await client.delete_snapshot(collection, made.name)

    assert [snapshot.name for snapshot in listed] == [made.name]
    assert len(packed) == made.size
    assert restored.count == 2
    assert await client.list_snapshots(collection) == []


async def test_only_files_of_the_snapshots_folder_are_restored(client: AsyncQdrantClient, collection: str) -> None:
    with pytest.raises(Exception, match="restores files below"):
        await client.recover_snapshot(collection, "file:///etc/passwd")


async def test_a_broken_snapshot_leaves_the_collection_as_it_was(
    client: AsyncQdrantClient, collection: str, qdrant_server: QdrantEdgeServer
) -> None:
    await client.upsert(collection, [point(1)])
    folder = qdrant_server.folder / "storage/snapshots" / collection
    folder.mkdir(parents=True)
    with tarfile.open(folder / "broken.snapshot", "w:gz") as archive:
        described = b'{"shard": "shard-1", "params": {}, "indexes": {}}'
        entry = tarfile.TarInfo("collection.json")
        entry.size = len(described)
        archive.addfile(entry, io.BytesIO(described))

    with pytest.raises(UnexpectedResponse, match="cannot be opened"):
        await client.recover_snapshot(collection, f"file://{folder}/broken.snapshot")

    assert (await client.count(collection)).count == 1
