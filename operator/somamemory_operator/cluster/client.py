"""Everything the operator asks of a cluster, in the words of the core: observe, apply, delete, report.

Observing is always a live, consistent list, never a cache: a decision must not be older than our own writes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from somamemory_operator.cluster.connection import APPLY, JSON_PATCH, MERGE, Connection
from somamemory_operator.cluster.errors import ApiError, ForeignObjectError
from somamemory_operator.cluster.problems import blindness_of
from somamemory_operator.cluster.reports import STATUS_MANAGER, event_about, same_report, status_of
from somamemory_operator.decide.plan import Deletion
from somamemory_operator.model import names
from somamemory_operator.model.desired import Growth, Handover, Unlabelling
from somamemory_operator.model.kinds import PLACES
from somamemory_operator.model.observed import (
    OBSERVED_KINDS,
    OPTIONAL_KINDS,
    Blindness,
    Key,
    Obj,
    World,
    belongs_to,
    is_owned_by,
    is_restored_secret,
    key_of,
)

_PAGE = 500
_APPLY_QUERY = {"fieldManager": names.FIELD_MANAGER, "force": "true"}


class Listed(NamedTuple):
    """A SomaMemory as a list of metadata shows it."""

    namespace: str
    name: str
    uid: str
    version: int


Unwatched = Callable[[str], Mapping[str, Blindness]]
"""The kinds whose watch in a namespace is refused just now."""


def _all_watched(_namespace: str) -> Mapping[str, Blindness]:
    return {}


class Cluster:
    """The cluster behind one connection, limited to some namespaces or not."""

    def __init__(
        self,
        connection: Connection,
        namespaces: Sequence[str] = (),
        seconds: float = 10.0,
        unwatched: Unwatched = _all_watched,
    ) -> None:
        self._connection, self._namespaces, self._seconds = connection, tuple(namespaces), seconds
        self._unwatched = unwatched

    async def get(self, namespace: str, name: str) -> Obj | None:
        """Read one SomaMemory live, None when it is gone; who may not get it may still list it."""
        try:
            return await self._get(Key(names.KIND, name), namespace)
        except ApiError as error:
            if not error.forbidden:
                raise
            found = self._list(names.KIND, namespace, fields=f"metadata.name={name}")
            return next(iter([obj async for obj in found]), None)

    async def list_memories(self) -> list[Listed]:
        """Tell which SomaMemories there are, and their versions."""
        found: list[Listed] = []
        for namespace in self._namespaces or (None,):
            async for obj in self._list(names.KIND, namespace, metadata_only=True):
                metadata = obj["metadata"]
                version = int(metadata["resourceVersion"])
                found.append(Listed(metadata["namespace"], metadata["name"], metadata["uid"], version))
        return found

    async def observe(self, namespace: str, name: str, secrets: Collection[str] = ()) -> World:
        """Take a snapshot of everything around one SomaMemory, and of the `secrets` of the user's that it names.

        A kind that the server does not show is told in the snapshot. Raises ApiError when nobody answers.
        """
        brought = {secret: await self._brought(secret, namespace) for secret in sorted(secrets)}
        lists = [self._children(kind, namespace, name) for kind in OBSERVED_KINDS]
        classes, *found = await asyncio.gather(self._seen("StorageClass", None), *lists)
        seen = dict(zip(OBSERVED_KINDS, found, strict=True))
        hidden = {kind: answer for kind, answer in seen.items() if isinstance(answer, ApiError)}
        unserved = frozenset(kind for kind, error in hidden.items() if kind in OPTIONAL_KINDS and error.unserved)
        return World(
            {key_of(obj): obj for objs in seen.values() if not isinstance(objs, ApiError) for obj in objs},
            None if isinstance(classes, ApiError) else {key_of(obj).name: obj for obj in classes},
            unserved,
            {kind: blindness_of(error, "list", kind) for kind, error in hidden.items() if kind not in unserved},
            self._unwatched(namespace),
            {key: found for key, found in brought.items() if found is not None and not isinstance(found, Blindness)},
            {key: found for key, found in brought.items() if isinstance(found, Blindness)},
        )

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

    async def change(self, namespace: str, change: Growth | Unlabelling) -> None:
        """Change one thing of an object that is not ours to apply."""
        await self._call("PATCH", change.key, namespace, body=change.patch, content_type=MERGE)

    async def hand_over(self, namespace: str, handover: Handover) -> None:
        """Make entries of lists ours. Raises ApiError (conflict) when the object is another version by now."""
        await self._call("PATCH", handover.key, namespace, body=handover.patch, content_type=JSON_PATCH)

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
        if same_report(memory, status):
            return False
        query = _APPLY_QUERY | {"fieldManager": STATUS_MANAGER}
        body = status_of(memory, status)
        await self._write("PATCH", body, query=query, content_type=APPLY, subresource="status")
        return True

    async def post_event(self, memory: Obj, *, reason: str, note: str, warning: bool) -> None:
        """Post a Kubernetes Event about a SomaMemory."""
        await self._write("POST", event_about(memory, reason, note, warning=warning), query={}, named=False)

    async def _children(self, kind: str, namespace: str, name: str) -> list[Obj] | ApiError:
        """Those of a kind that belong to one SomaMemory.

        Claims are told by their names, so the namespace's are all looked at, and those of others dropped at once.
        """
        everything = kind == "PersistentVolumeClaim"
        found = await self._seen(kind, namespace, "" if everything else names.WATCH_SELECTOR)
        if isinstance(found, ApiError):
            return found
        own = [obj for obj in found if belongs_to(obj, name)]
        return [*own, *await self._restored_secrets(namespace, name, own)] if kind == "Secret" else own

    async def _restored_secrets(self, namespace: str, name: str, seen: Sequence[Obj]) -> list[Obj]:
        """The credentials that somebody put back without our labels: like claims they are told by their names.

        One that holds no password of ours is somebody else's, and stays unseen.
        """
        missing = {names.credentials(name), names.credentials_copy(name)} - {key_of(obj).name for obj in seen}
        try:
            found = [await self._get(Key("Secret", each), namespace) for each in sorted(missing)]
        except ApiError as error:
            if error.unreachable:
                raise
            return []
        return [obj for obj in found if obj is not None and is_restored_secret(obj, name)]

    async def _brought(self, secret: str, namespace: str) -> Obj | Blindness | None:
        """A Secret of the user's, which has no label of ours. Raises ApiError when nobody answers."""
        try:
            return await self._get(Key("Secret", secret), namespace)
        except ApiError as error:
            if error.unreachable:
                raise
            return blindness_of(error, "get", "Secret")

    async def _seen(self, kind: str, namespace: str | None, selector: str = "") -> list[Obj] | ApiError:
        """All of a kind, or why the server does not show them. Raises ApiError when nobody answers."""
        try:
            return await self._collect(kind, namespace, selector)
        except ApiError as error:
            if error.unreachable:
                raise
            return error

    async def _collect(self, kind: str, namespace: str | None, selector: str) -> list[Obj]:
        return [obj async for obj in self._list(kind, namespace, selector)]

    async def _list(
        self, kind: str, namespace: str | None, selector: str = "", fields: str = "", *, metadata_only: bool = False
    ) -> AsyncIterator[Obj]:
        """Page through a list. Objects in a list lack kind and version; they get them here."""
        place, token = PLACES[kind], ""
        while True:
            query = {"labelSelector": selector, "fieldSelector": fields, "limit": _PAGE, "continue": token}
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
