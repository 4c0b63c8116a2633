"""The credentials of a SomaMemory: twice for safety, and once as each of those holds them who use them.

NAME-credentials and its copy can each be repaired from the other. They live as long as the data, so they also remember
which images the stores run (`decide.versions`), which release the database was migrated to (`decide.migrated`), and how
far a rotation is (`decide.rotation`).
"""

from collections.abc import Iterator

from somamemory_operator.decide import external
from somamemory_operator.decide.credentials import API_TOKEN, STORE_KEYS, secret_names
from somamemory_operator.decide.migrated import record
from somamemory_operator.decide.rotation import PREVIOUS
from somamemory_operator.decide.sources import BROUGHT, KAFKA_LOGIN
from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, encoded, holds, key_of, uid_of
from somamemory_operator.model.reasons import Reason

PROGRAM_KEYS = (*(key for key in BROUGHT if key in STORE_KEYS), KAFKA_LOGIN)
"""What API, consumer and Jobs need to reach the stores; also what no store asks for yet, so that it is there before."""


def build(context: Context) -> list[Wanted]:
    """All of them. The first two are guarded: no password is ever overwritten on the strength of an old snapshot.

    What is made of them comes after them, so that nothing is known to a program that could be forgotten; the passwords
    last, because pods that are made after them count as knowing everything.
    """
    kept = [Wanted(_secret(context, name), guarded=True) for name in secret_names(context.name)]
    of_programs = (_tokens(context), _programs(context), *_of_external_stores(context))
    return [*kept, *(Wanted(each, _remembered(context)) for each in of_programs)]


def for_nothing_without(context: Context, objects: list[Wanted]) -> Iterator[Wanted]:
    """The objects; as long as a source has not said what is to be in force, each of them waits."""
    is_known = external.is_complete_for(context.memory, context.files)
    if context.credentials.is_complete and is_known:
        yield from objects
        return
    gap = next(iter((*context.credentials.gaps, *context.files.gaps)), None)
    reason, text = gap if gap is not None else (Reason.WAITING, "The credentials are not complete yet.")
    for each in objects:
        yield Wanted(each.obj, Gate(False, reason, text), each.guarded)


def _remembered(context: Context) -> Gate:
    """Both Secrets hold what the programs are to learn; none of them exists yet when everything is made at once."""
    live = [context.world.get("Secret", name) for name in secret_names(context.name)]
    wanted = context.credentials.data()
    is_known = all(secret is None or holds(secret, wanted) for secret in live)
    return Gate(is_known, Reason.ROTATING, "It changes once both Secrets with the credentials hold the new values.")


def _secret(context: Context, name: str) -> Obj:
    obj = context.obj("v1", "Secret", name, Component.CREDENTIALS, type="Opaque", data=context.credentials.data())
    remembered = {
        **context.versions.record,
        **record(context.memory, context.world),
        **context.credentials.record,
        **context.certificates.record,
    }
    metadata = obj["metadata"] | {
        "labels": names.lasting_labels(context.name, Component.CREDENTIALS),
        "annotations": {names.SYNC_OPTIONS_ANNOTATION: names.SPARED, **remembered},
    }
    owners = [*metadata.get("ownerReferences", ()), *_claim_owners(context)]
    return obj | {"metadata": compact(metadata | {"ownerReferences": owners})}


def _programs(context: Context) -> Obj:
    """The newest values, and beside each the one that its store may still want."""
    values = {key: context.credentials.newest(key) for key in PROGRAM_KEYS}
    values |= {f"{key}{PREVIOUS}": context.credentials.other(key) for key in PROGRAM_KEYS}
    data = {key: encoded(value) for key, value in values.items()}
    name = names.program_credentials(context.name)
    obj = context.obj("v1", "Secret", name, Component.API, type="Opaque", data=data)
    if context.credentials.ordinal != "0":
        obj["metadata"]["annotations"] = {names.ROTATION_ANNOTATION: context.credentials.ordinal}
    return obj


def _tokens(context: Context) -> Obj:
    """One token a line; the file is read again without a restart."""
    tokens = dict.fromkeys((context.credentials.newest(API_TOKEN), context.credentials.other(API_TOKEN)))
    data = {API_TOKEN: encoded("\n".join(tokens))}
    name = names.api_tokens(context.name)
    return context.obj("v1", "Secret", name, Component.API, type="Opaque", data=data)


def _of_external_stores(context: Context) -> list[Obj]:
    """The last good copy of what users' Secrets say about stores that somebody else runs."""
    theirs = external.stores(context.memory)
    if not theirs:
        return []
    name, data = names.external_credentials(context.name), context.files.data()
    obj = context.obj("v1", "Secret", name, Component.API, type="Opaque", data=data)
    obj["metadata"]["annotations"] = {
        names.EXTERNAL_ANNOTATION: ",".join(theirs),
        names.REVISION_ANNOTATION: context.revision,
    }
    return [obj]


def _claim_owners(context: Context) -> list[Obj]:
    """The volumes as further owners: retained ones keep the credentials that open them, as long as they live."""
    claims = [claim for store in STORES for claim in context.world.claims_of(store)]
    return [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": key_of(claim).name, "uid": uid_of(claim)}
        for claim in claims
    ]
