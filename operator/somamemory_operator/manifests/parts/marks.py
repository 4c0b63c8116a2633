"""What stands on the metadata of workloads themselves: the spec's own marks, and what Stakater's Reloader reads there.

Reloader takes `secret.reloader.stakater.com/reload` and `configmap.reloader.stakater.com/reload` (names, separated by
commas) and `reloader.stakater.com/auto` from the workload's own annotations, not from those of its pods.
"""

from collections.abc import Iterable

from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource.clients import Api, Consumer
from somamemory_operator.resource.stores import Store
from somamemory_operator.resource.workload import Workload

_SECRETS, _CONFIG_MAPS, _AUTO = (
    "secret.reloader.stakater.com/reload",
    "configmap.reloader.stakater.com/reload",
    "reloader.stakater.com/auto",
)


def of_store(context: Context, obj: Obj, store: Store) -> Obj:
    """A store's workload with its marks: Reloader keeps its hands off it, the operator restarts it in order."""
    return _marked(obj, store, {_AUTO: "false"} if _is_reloaded(context) else {})


def of_program(context: Context, obj: Obj, part: Api | Consumer) -> Obj:
    """API or consumer with its marks: what Reloader is to restart it for.

    The tokens are not among it: the API reads them again by itself.
    """
    if not _is_reloaded(context):
        return _marked(obj, part, {})
    references = [variable.value_from for variable in part.env if variable.value_from is not None]
    secrets = [each.secret_key_ref.name for each in references if each.secret_key_ref is not None]
    config_maps = [each.config_map_key_ref.name for each in references if each.config_map_key_ref is not None]
    annotations = {
        _SECRETS: _listed([names.program_credentials(context.name), *secrets]),
        _CONFIG_MAPS: _listed([*([names.trust(context.name)] if context.certificates.is_on else []), *config_maps]),
    }
    return _marked(obj, part, {key: value for key, value in annotations.items() if value})


def _is_reloaded(context: Context) -> bool:
    return context.spec.secrets.rollout == "reloader"


def _listed(found: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(found))


def _marked(obj: Obj, workload: Workload, annotations: dict[str, str]) -> Obj:
    metadata = obj["metadata"]
    own = {
        "labels": dict(workload.workload_labels) | metadata["labels"],
        "annotations": dict(workload.workload_annotations) | annotations | (metadata.get("annotations") or {}),
    }
    return obj | {"metadata": compact(metadata | own)}
