"""The credentials of a SomaMemory, twice, so that either Secret can be repaired from the other.

They live as long as the data, so they also remember which images the stores run (see `decide.versions`),
and which release the database was migrated to (see `decide.migrated`).
"""

from somamemory_operator.decide.credentials import secret_names
from somamemory_operator.decide.migrated import record
from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.desired import Wanted
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, key_of, uid_of


def build(context: Context) -> list[Wanted]:
    """Both Secrets, guarded: no password is ever overwritten on the strength of an old snapshot."""
    return [Wanted(_secret(context, name), guarded=True) for name in secret_names(context.name)]


def _secret(context: Context, name: str) -> Obj:
    obj = context.obj("v1", "Secret", name, Component.CREDENTIALS, type="Opaque", data=context.credentials.data())
    remembered = {**context.versions.record, **record(context.memory, context.world)}
    metadata = obj["metadata"] | {
        "labels": names.lasting_labels(context.name, Component.CREDENTIALS),
        "annotations": {names.SYNC_OPTIONS_ANNOTATION: names.SPARED, **remembered},
    }
    owners = [*metadata.get("ownerReferences", ()), *_claim_owners(context)]
    return obj | {"metadata": compact(metadata | {"ownerReferences": owners})}


def _claim_owners(context: Context) -> list[Obj]:
    """The volumes as further owners: retained ones keep the credentials that open them, as long as they live."""
    claims = [claim for store in STORES for claim in context.world.claims_of(store)]
    return [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": key_of(claim).name, "uid": uid_of(claim)}
        for claim in claims
    ]
