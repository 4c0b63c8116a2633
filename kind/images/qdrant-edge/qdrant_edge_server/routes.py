"""The operations of the REST API, and the table that says where each answers."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import orjson
import qdrant_edge as engine

from . import points, queries
from .catalogue import Catalogue
from .errors import NotFound, Unsupported
from .metrics import Metrics
from .snapshots import Snapshots
from .web import Handler, Reply, Request

API_VERSION = "1.20.0"  # the release of Qdrant's REST API whose shapes are spoken; `qdrant-client` compares it
OPEN_PATHS = frozenset({"/", "/healthz", "/livez", "/readyz"})


class Routes:
    """One method per operation; each reads the request, calls the engine, returns the result for the envelope."""

    def __init__(self, catalogue: Catalogue, snapshots: Snapshots, metrics: Metrics) -> None:
        self._catalogue = catalogue
        self._snapshots = snapshots
        self._metrics = metrics

    def table(self) -> dict[str, Handler]:
        """`METHOD /path` -> handler, see WebApp."""
        return {**self._service(), **self._collections(), **self._points(), **self._snapshot_routes()}

    def _service(self) -> dict[str, Handler]:
        return {
            "GET /": self.root,
            "GET /healthz": _text("healthz check passed"),
            "GET /livez": _text("livez check passed"),
            "GET /readyz": _text("all shards are ready"),
            "GET /metrics": self.metrics,
            "GET /telemetry": self.telemetry,
        }

    def _collections(self) -> dict[str, Handler]:
        return {
            "GET /collections": self.list_collections,
            "GET /collections/*": self.get_collection,
            "PUT /collections/*": self.create_collection,
            "PATCH /collections/*": self.update_collection,
            "DELETE /collections/*": self.delete_collection,
            "GET /collections/*/exists": self.collection_exists,
            "GET /collections/*/aliases": self.no_aliases,
            "PUT /collections/*/index": self.create_index,
            "DELETE /collections/*/index/*": self.delete_index,
        }

    def _points(self) -> dict[str, Handler]:
        write = self._write
        return {
            "PUT /collections/*/points": write(points.upsert),
            "POST /collections/*/points/delete": write(points.delete),
            "POST /collections/*/points/payload": write(points.set_payload),
            "PUT /collections/*/points/payload": write(points.overwrite_payload),
            "POST /collections/*/points/payload/delete": write(points.delete_payload),
            "POST /collections/*/points/payload/clear": write(points.clear_payload),
            "PUT /collections/*/points/vectors": write(points.update_vectors),
            "POST /collections/*/points/vectors/delete": write(points.delete_vectors),
            "POST /collections/*/points/batch": self.batch,
            "POST /collections/*/points": self.retrieve,
            "GET /collections/*/points/*": self.get_point,
            "POST /collections/*/points/scroll": self.scroll,
            "POST /collections/*/points/count": self.count,
            "POST /collections/*/points/query": self.query,
            "POST /collections/*/points/query/batch": self.query_batch,
            "POST /collections/*/facet": self.facet,
        }

    def _snapshot_routes(self) -> dict[str, Handler]:
        return {
            "GET /collections/*/snapshots": self.list_snapshots,
            "POST /collections/*/snapshots": self.create_snapshot,
            "GET /collections/*/snapshots/*": self.download_snapshot,
            "DELETE /collections/*/snapshots/*": self.delete_snapshot,
            "PUT /collections/*/snapshots/recover": self.recover_snapshot,
        }

    # Service

    async def root(self, _: Request) -> Any:
        """Says honestly what this is; `version` is that of the API it speaks."""
        body = {"title": "qdrant-edge - REST server over Qdrant's embedded engine", "version": API_VERSION}
        return _bare_json(body | {"engine": f"qdrant-edge-py {version('qdrant-edge-py')}"})

    async def metrics(self, _: Request) -> Reply:
        return Reply(self._metrics.text(), b"text/plain; version=0.0.4; charset=utf-8")

    async def telemetry(self, _: Request) -> Any:
        collections = [
            {"id": name, "points_count": found.reader.info().points_count} for name, found in self._catalogue.items()
        ]
        return {"app": {"name": "qdrant-edge", "version": API_VERSION}, "collections": {"collections": collections}}

    # Collections

    async def list_collections(self, _: Request) -> Any:
        return {"collections": [{"name": name} for name, _collection in self._catalogue.items()]}

    async def get_collection(self, request: Request) -> Any:
        return self._catalogue[request.name].info()

    async def create_collection(self, request: Request) -> Any:
        self._catalogue.create(request.name, await request.json())
        return True

    async def update_collection(self, request: Request) -> Any:
        body = await request.json()
        if body.keys() - {"metadata"}:
            raise Unsupported(f"qdrant-edge cannot change {sorted(body.keys() - {'metadata'})} of a collection")
        self._catalogue[request.name].set_metadata(body.get("metadata") or {})
        return True

    async def delete_collection(self, request: Request) -> Any:
        return await self._catalogue.delete(request.name)

    async def collection_exists(self, request: Request) -> Any:
        return {"exists": request.name in self._catalogue}

    async def no_aliases(self, request: Request) -> Any:
        self._catalogue[request.name]
        return {"aliases": []}

    async def create_index(self, request: Request) -> Any:
        body = await request.json()
        number = await self._catalogue[request.name].create_index(body["field_name"], body.get("field_schema"))
        return _updated(request, number)

    async def delete_index(self, request: Request) -> Any:
        return _updated(request, await self._catalogue[request.name].delete_index(request.last))

    # Points

    def _write(self, operation: Callable[[dict[str, Any]], Any]) -> Handler:
        async def handler(request: Request) -> Any:
            body = await request.json()
            return _updated(request, await self._catalogue[request.name].apply([operation(body)]))

        return handler

    async def batch(self, request: Request) -> Any:
        operations = points.batch(await request.json())
        collection = self._catalogue[request.name]
        return [_updated(request, await collection.apply([operation])) for operation in operations]

    async def retrieve(self, request: Request) -> Any:
        body = await request.json()
        payload, vector = queries.with_payload(body, default=True), queries.with_vector(body, default=False)
        found = self._catalogue[request.name].reader.retrieve(body["ids"], payload, vector)
        return [points.record_out(record) for record in found]

    async def get_point(self, request: Request) -> Any:
        point_id = int(request.last) if request.last.isdecimal() else request.last
        found = self._catalogue[request.name].reader.retrieve([point_id], True, True)
        if not found:
            raise NotFound(f"Not found: Point with id {point_id} does not exists!")
        return points.record_out(found[0])

    async def scroll(self, request: Request) -> Any:
        found, following = self._catalogue[request.name].reader.scroll(queries.scroll_request(await request.json()))
        return {"points": [points.record_out(record) for record in found], "next_page_offset": following}

    async def count(self, request: Request) -> Any:
        return {"count": self._catalogue[request.name].reader.count(queries.count_request(await request.json()))}

    async def query(self, request: Request) -> Any:
        body = await request.json()
        collection = self._catalogue[request.name]
        found = collection.reader.query(queries.query_request(body, collection.vector_of))
        return {"points": [points.scored_out(point) for point in found]}

    async def query_batch(self, request: Request) -> Any:
        body = await request.json()
        collection = self._catalogue[request.name]
        requests = [queries.query_request(search, collection.vector_of) for search in body["searches"]]
        answers = collection.reader.query_batch(engine.QueryBatchRequest(requests))
        return [{"points": [points.scored_out(point) for point in found]} for found in answers]

    async def facet(self, request: Request) -> Any:
        found = self._catalogue[request.name].reader.facet(queries.facet_request(await request.json()))
        return {"hits": [{"value": hit.value, "count": hit.count} for hit in found]}

    # Snapshots

    async def list_snapshots(self, request: Request) -> Any:
        return await self._snapshots.list(request.name)

    async def create_snapshot(self, request: Request) -> Any:
        return await self._snapshots.create(request.name, now=datetime.now(UTC))

    async def download_snapshot(self, request: Request) -> Reply:
        path = self._snapshots.path(request.name, request.last)
        length = (b"content-length", b"%d" % path.stat().st_size)
        return Reply(self._snapshots.chunks(path), b"application/octet-stream", headers=[length])

    async def delete_snapshot(self, request: Request) -> Any:
        self._snapshots.path(request.name, request.last).unlink()
        return True

    async def recover_snapshot(self, request: Request) -> Any:
        location = (await request.json())["location"]
        await self._snapshots.restore(request.name, self._snapshots.located(location))
        return True


def _text(message: str) -> Handler:
    async def handler(_: Request) -> Reply:
        return Reply(message.encode())

    return handler


def _bare_json(body: dict[str, Any]) -> Reply:
    return Reply(orjson.dumps(body), b"application/json")


def _updated(request: Request, number: int) -> dict[str, Any]:
    """Without `wait` the client asked for no promise; the update is on disk all the same."""
    return {"operation_id": number, "status": "completed" if request.flag("wait") else "acknowledged"}
