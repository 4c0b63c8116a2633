"""Everything the operator asks of a cluster, in the words of the core: observe, apply, delete, report.

Observing is always a live, consistent list, never a cache: a decision must not be older than our own writes.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from somamemory_operator.cluster.connection import APPLY, MERGE, ApiError, Connection
from somamemory_operator.decide.plan import Deletion, Growth
from somamemory_operator.model import names
from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.observed import OBSERVED_KINDS, OPTIONAL_KINDS, Key, Obj, World, is_owned_by, key_of

STATUS_MANAGER = f"{names.FIELD_MANAGER}-status"
_PAGE = 500
_APPLY_QUERY = {"fieldManager": names.FIELD_MANAGER, "force": "true"}


class Listed(NamedTuple):
    """A SomaMemory as a list of metadata shows it."""

    namespace: str
    name: str
    uid: str
    version: int


class ForeignObjectError(Exception):
    """An object that we want to make is already there and belongs to somebody else."""

    def __init__(self, key: Key) -> None:
        super().__init__(
            f"{key} is already there and was not made by this operator. Delete or rename it, or rename the SomaMemory."
        )


class Cluster:
    """The cluster behind one connection, limited to some namespaces or not."""

    def __init__(self, connection: Connection, namespaces: Sequence[str] = (), seconds: float = 10.0) -> None:
        self._connection, self._namespaces, self._seconds = connection, tuple(namespaces), seconds

    async def get(self, namespace: str, name: str) -> Obj | None:
        """Read one SomaMemory live, None when it is gone."""
        return await self._get(Key(names.KIND, name), namespace)

    async def list_memories(self) -> list[Listed]:
        """Tell which SomaMemories there are, and their versions."""
        found: list[Listed] = []
        for namespace in self._namespaces or (None,):
            async for obj in self._list(names.KIND, namespace, metadata_only=True):
                metadata = obj["metadata"]
                version = int(metadata["resourceVersion"])
                found.append(Listed(metadata["namespace"], metadata["name"], metadata["uid"], version))
        return found

    async def observe(self, namespace: str, name: str) -> World:
        """Take a snapshot of everything around one SomaMemory."""
        selector = f"{names.WATCH_SELECTOR},{names.INSTANCE_LABEL}={name}"
        lists = [self._children(kind, namespace, selector) for kind in OBSERVED_KINDS]
        classes, *found = await asyncio.gather(self._storage_classes(), *lists)
        children = {key_of(obj): obj for objs in found for obj in objs or ()}
        unserved = frozenset(kind for kind, objs in zip(OBSERVED_KINDS, found, strict=True) if objs is None)
        return World(children, None if classes is None else {key_of(obj).name: obj for obj in classes}, unserved)

    async def create(self, obj: Obj, *, owner_uid: str) -> None:
        """Create an object that must not be there yet.

        Raises ApiError (conflict) when it is, since then the decision was taken without it and nothing that follows
        from that decision may be applied. One of ours that had only lost its labels, and so was not observed, gets
        those back first, so that the next look sees it. Raises ForeignObjectError for one that is somebody else's.
        """
        try:
            await self._write("POST", obj, query={"fieldManager": names.FIELD_MANAGER}, named=False)
        except ApiError as error:
            there = await self._get(key_of(obj), obj["metadata"]["namespace"]) if error.conflict else None
            if there is None:
                raise
            if not _is_ours(there, owner_uid):
                raise ForeignObjectError(key_of(obj)) from error
            seen = {key: there["metadata"][key] for key in ("uid", "resourceVersion")}
            patch = {"metadata": seen | {"labels": obj["metadata"]["labels"]}}
            namespace = obj["metadata"]["namespace"]
            await self._call("PATCH", key_of(obj), namespace, body=patch, content_type=MERGE)
            raise

    async def apply(self, obj: Obj, *, known: bool, owner_uid: str) -> Obj:
        """Apply the fields of `obj`, and return the object as it then is.

        `known` says that it was observed as ours. Otherwise it is made, unless something foreign has its name.
        """
        if not known:
            there = await self._get(key_of(obj), obj["metadata"]["namespace"])
            if there is not None and not _is_ours(there, owner_uid):
                raise ForeignObjectError(key_of(obj))
        return await self._write("PATCH", obj, query=_APPLY_QUERY, content_type=APPLY)

    async def grow(self, namespace: str, growth: Growth) -> None:
        """Ask for more space on a volume claim."""
        await self._call(
            "PATCH", Key("PersistentVolumeClaim", growth.claim), namespace, body=growth.patch, content_type=MERGE
        )

    async def delete(self, namespace: str, deletion: Deletion) -> None:
        """Delete an object, if it still is the one that was meant; one that is gone already is no error."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": deletion.propagation,
            "preconditions": {"uid": deletion.uid},
        }
        try:
            await self._call("DELETE", deletion.key, namespace, body=options)
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise

    async def apply_status(self, memory: Obj, status: Obj) -> bool:
        """Report, unless exactly this stands there already; returns whether something was written."""
        if _same_report(memory.get("status") or {}, status):
            return False
        metadata = {key: memory["metadata"][key] for key in ("name", "namespace", "uid")}
        body = {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "status": status}
        query = _APPLY_QUERY | {"fieldManager": STATUS_MANAGER}
        await self._write("PATCH", body, query=query, content_type=APPLY, subresource="status")
        return True

    async def post_event(self, memory: Obj, *, reason: str, note: str, warning: bool) -> None:
        """Post a Kubernetes Event about a SomaMemory."""
        metadata = memory["metadata"]
        about = {"apiVersion": names.API_VERSION, "kind": names.KIND}
        event = {
            "apiVersion": PLACES["Event"].api_version,
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.{secrets.token_hex(8)}", "namespace": metadata["namespace"]},
            "regarding": about | {key: metadata[key] for key in ("name", "namespace", "uid")},
            "reason": reason,
            "note": note[:1024],
            "type": "Warning" if warning else "Normal",
            "action": "Reconcile",
            "reportingController": names.FIELD_MANAGER,
            "reportingInstance": names.FIELD_MANAGER,
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        await self._write("POST", event, query={}, named=False)

    async def _children(self, kind: str, namespace: str, selector: str) -> list[Obj] | None:
        """All of a kind, None for an optional kind that is not served to us."""
        try:
            return await self._collect(kind, namespace, selector)
        except ApiError as error:
            if kind in OPTIONAL_KINDS and error.unserved:
                return None
            raise

    async def _storage_classes(self) -> list[Obj] | None:
        try:
            return await self._collect("StorageClass", None, "")
        except ApiError as error:
            if error.status == 403:
                return None
            raise

    async def _collect(self, kind: str, namespace: str | None, selector: str) -> list[Obj]:
        return [obj async for obj in self._list(kind, namespace, selector)]

    async def _list(
        self, kind: str, namespace: str | None, selector: str = "", *, metadata_only: bool = False
    ) -> AsyncIterator[Obj]:
        """Page through a list. Objects in a list lack kind and version; they get them here."""
        place, token = PLACES[kind], ""
        while True:
            query = {"labelSelector": selector, "limit": _PAGE, "continue": token}
            page = await self._connection.request(
                "GET",
                place.path(namespace),
                kind=kind,
                query={key: value for key, value in query.items() if value},
                metadata_only=metadata_only,
                seconds=self._seconds,
            )
            for obj in page.get("items") or ():
                yield {**obj, "apiVersion": place.api_version, "kind": kind}
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    async def _get(self, key: Key, namespace: str) -> Obj | None:
        try:
            return await self._call("GET", key, namespace)
        except ApiError as error:
            if error.not_found:
                return None
            raise

    async def _write(self, verb: str, obj: Obj, *, named: bool = True, **options: Any) -> Obj:
        key = Key(obj["kind"], obj["metadata"]["name"])
        return await self._call(verb, key, obj["metadata"]["namespace"], named=named, body=obj, **options)

    async def _call(
        self, verb: str, key: Key, namespace: str, *, named: bool = True, subresource: str | None = None, **options: Any
    ) -> Obj:
        path = PLACES[key.kind].path(namespace, key.name if named else None, subresource)
        return await self._connection.request(verb, path, kind=key.kind, seconds=self._seconds, **options)


def _is_ours(obj: Obj, owner_uid: str) -> bool:
    """Whether we made this object: its owner says so, or the server credits fields of it to our applies."""
    managers = {entry.get("manager") for entry in obj["metadata"].get("managedFields") or ()}
    return is_owned_by(obj, owner_uid) or names.FIELD_MANAGER in managers


def _same_report(live: Obj, wanted: Obj) -> bool:
    """Whether a status says what we want to say; conditions of other types belong to others."""
    types = {condition["type"] for condition in wanted.get("conditions") or ()}
    ours = [condition for condition in live.get("conditions") or () if condition.get("type") in types]
    return _by_type(live | {"conditions": ours}) == _by_type(wanted)


def _by_type(status: Obj) -> Obj:
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    return status | {"conditions": conditions}
