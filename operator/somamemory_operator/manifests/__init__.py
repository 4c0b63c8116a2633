"""Everything that is deployed: the table of contents. No client, no clock, no cluster."""

from datetime import datetime

from somamemory_operator.decide.credentials import Credentials
from somamemory_operator.decide.tls.certificates import PLAIN, Certificates
from somamemory_operator.decide.volumes import growths
from somamemory_operator.manifests.clients import api, consumer, migration, preflight, rotation
from somamemory_operator.manifests.monitoring import scraping
from somamemory_operator.manifests.parts import claims, external_secret, policies, secrets, tls
from somamemory_operator.manifests.parts.context import Context
from somamemory_operator.manifests.recovery import backup, sequence
from somamemory_operator.manifests.stores import features, kafka, postgres, qdrant, redis
from somamemory_operator.model.desired import Desired, Gate, Wanted
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Obj, World
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.settings import Settings

_WORKLOADS = frozenset({"Deployment", "Job"})


def build(
    memory: SomaMemory,
    settings: Settings,
    world: World,
    credentials: Credentials,
    *,
    certificates: Certificates = PLAIN,
    now: datetime | None = None,
) -> Desired:
    """All objects of one SomaMemory, in order, each with the gate that it waits at.

    Stores come at once. The migration waits for Postgres, API and consumer wait for the migration of their version,
    so that an upgrade changes the database before it rolls the pods. A hibernating SomaMemory has nothing to wait for.
    What this cluster has no kind for is left out; the status tells. Without a `now` no maintenance window is open.
    """
    context = Context(memory, settings, world, credentials, now, certificates)
    everything = tls.for_nothing_without(certificates, _everything(context))
    wanted = [
        *_free([*external_secret.build(context), *tls.requests(context)]),
        *secrets.for_nothing_without(context, list(everything)),
    ]
    served = tuple(each for each in wanted if each.key.kind not in world.unserved)
    return Desired(
        wanted=served,
        owner_uid=memory.uid,
        version=context.version,
        changes=tuple(each for each in context.versions.changes if not context.is_external(each.component)),
        release=settings.release,
        growths=tuple(growths(memory, world)),
    )


def _everything(context: Context) -> list[Wanted]:
    """All that needs the credentials, and the credentials first."""
    return [
        *secrets.build(context),
        *tls.build(context),
        *claims.adopted(context),
        *claims.unless_foreign(context, _stores(context)),
        *features.build(context),
        *_free([*policies.budgets(context), *policies.network(context), *scraping.build(context)]),
        *claims.unless_foreign(context, backup.build(context)),
        *(migration.build(context) if not context.spec.hibernated else ()),
        *rotation.build(context),
        *preflight.build(context),
        *sequence.build(context),
        *_gated(_clients(context), _needs(context)),
    ]


def _stores(context: Context) -> list[Obj]:
    builders = {
        Component.POSTGRES: postgres.build,
        Component.REDIS: redis.build,
        Component.QDRANT: qdrant.build,
        Component.KAFKA: kafka.build,
    }
    own = (build_store for store, build_store in builders.items() if not context.is_external(store))
    return sequence.recorded(context, [obj for build_store in own for obj in build_store(context)])


def _clients(context: Context) -> list[Obj]:
    objects = [*api.build(context), *(consumer.build(context) if context.spec.consumer.enabled else ())]
    return sequence.recorded(context, objects)


def _needs(context: Context) -> Gate | None:
    """What API and consumer wait for; nothing as long as they are to have no pods.

    Pods that are there already are changed meanwhile: what they use is not taken from them.
    """
    if context.is_asleep:
        return None
    migrated = migration.needs_migration(context)
    return migrated if not migrated.is_open else migration.unless_running(context, preflight.passed(context, *STORES))


def _free(objects: list[Obj]) -> list[Wanted]:
    return [Wanted(obj) for obj in objects]


def _gated(objects: list[Obj], gate: Gate | None) -> list[Wanted]:
    """Only what runs pods waits at a gate; Services and accounts may be there before."""
    return [Wanted(obj, gate if obj["kind"] in _WORKLOADS else None) for obj in objects]
