"""Trying the stores that somebody else runs, before anything uses them: a Job for each."""

from somamemory_operator.decide import external
from somamemory_operator.manifests.clients import program
from somamemory_operator.manifests.parts import jobs, workloads
from somamemory_operator.manifests.parts.context import Context, short_hash
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.jobs import is_complete
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, holds, key_of
from somamemory_operator.model.reasons import Reason

COMPONENT = Component.PREFLIGHT
EVERY = "*/5 * * * *"
"""How often they are tried again, as cron says it."""


def build(context: Context) -> list[Wanted]:
    """ServiceAccount and Jobs; each waits until what it logs in with is mounted."""
    theirs = external.stores(context.memory)
    if not theirs or context.spec.hibernated:
        return []
    account = Wanted(workloads.service_account(context, COMPONENT))
    jobs_ = (Wanted(job(context, store), _is_written(context)) for store in theirs)
    return [account, *jobs_, Wanted(_check(context, theirs), passed(context, *theirs))]


def job(context: Context, store: Component) -> Obj:
    """The Job that tries a store; another address, another login or another image makes it another one.

    It goes on trying for a day, ever more seldom; each pod says what it has found.
    """
    template = _template(context, store)
    spec = {"activeDeadlineSeconds": jobs.DEADLINE_SECONDS, "backoffLimit": 30, "template": template}
    name = names.preflight(context.name, short_hash(template, context.revision))  # the template names the store
    obj = context.obj("batch/v1", "Job", name, COMPONENT, spec=spec)
    obj["metadata"]["annotations"] = {names.STORE_ANNOTATION: store.value}
    return obj


def _check(context: Context, theirs: tuple[Component, ...]) -> Obj:
    """All of them again, now and then: nobody else says when a store that could be used no longer can."""
    template = _template(context, *theirs)
    labels = {"labels": names.labels(context.name, COMPONENT)}
    spec = {
        "schedule": EVERY,
        "concurrencyPolicy": "Replace",
        "startingDeadlineSeconds": 60,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {
            "metadata": labels,
            "spec": {"activeDeadlineSeconds": 120, "backoffLimit": 0, "template": template},
        },
    }
    return context.obj("batch/v1", "CronJob", names.check(context.name), COMPONENT, spec=spec)


def _template(context: Context, *stores: Component) -> Obj:
    """One pod that tries, once, and says what it has found."""
    tried = [store.value for store in stores]
    template = program.one_off(context, COMPONENT, ["soma", "preflight", *tried, "--output", "json"])
    template["metadata"]["annotations"][names.STORE_ANNOTATION] = ",".join(tried)
    template["spec"]["restartPolicy"] = "Never"
    template["spec"]["containers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError"
    return template


def passed(context: Context, *stores: Component) -> Gate:
    """Open once these stores, of those that somebody else runs, have been found to be of use."""
    theirs = [store for store in external.stores(context.memory) if store in stores]
    waiting = [
        store for store in theirs if not is_complete(context.world.get("Job", job(context, store)["metadata"]["name"]))
    ]
    text = f"Waits until {' and '.join(waiting)} can be used." if waiting else ""
    return Gate(not waiting, Reason.WAITING_FOR_PREFLIGHT, text)


def _live(context: Context, store: Component) -> Obj | None:
    return context.world.get("Job", key_of(job(context, store)).name)


def _is_written(context: Context) -> Gate:
    live = context.world.get("Secret", names.external_credentials(context.name))
    return Gate(holds(live, context.files.data()), Reason.WAITING, "It is tried once what opens it is written.")
