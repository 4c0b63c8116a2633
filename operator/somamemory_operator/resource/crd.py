"""The CustomResourceDefinition, made from the models beside it so that the two cannot disagree."""

from collections.abc import Mapping
from typing import Any

from somamemory_operator.model import names
from somamemory_operator.model.observed import Obj
from somamemory_operator.resource import yaml_text
from somamemory_operator.resource.base import rules
from somamemory_operator.resource.crd_status import COLUMNS, STATUS
from somamemory_operator.resource.spec import Spec

_DROPPED = frozenset({"title", "default", "$defs"})

_ROOT_RULES = rules(
    (
        f"size(self.metadata.name) <= {names.LONGEST_NAME}",
        f"the name may have at most {names.LONGEST_NAME} characters, because names and labels are made from it",
    ),
    (
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "the name must start with a letter and hold only small letters, digits and '-': Services are named after it",
    ),
)


def crd() -> Obj:
    """The whole CustomResourceDefinition."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": ["sm"],
                "categories": ["soma"],
            },
            "versions": [_version()],
        },
    }


def as_yaml() -> str:
    """The definition as the text of crds/somamemory.yaml."""
    return _NOTE + yaml_text.dump(crd())


def as_helm_template() -> str:
    """The definition as a template of the chart: Helm upgrades it there, and keeps it when the chart goes."""
    definition = crd()
    definition["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    text = yaml_text.dump(definition).replace("{{", '{{ "{{" }}')  # ours mean nothing to Helm
    return f"{_NOTE}{{{{- if .Values.crd.install }}}}\n{text}{{{{- end }}}}\n"


_NOTE = "# Made by `make crds` from somamemory_operator/resource: change that, not this.\n"


def _version() -> Obj:
    subresources = {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.api.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }
    return {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "subresources": subresources,
        "additionalPrinterColumns": COLUMNS,
        "schema": {"openAPIV3Schema": _schema()},
    }


def _schema() -> Obj:
    document = Spec.model_json_schema(by_alias=True)
    spec = structural(document, document.get("$defs", {}))
    return {
        "description": "SomaMemory is one memory service: an API, a consumer, and the four stores behind them.",
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of this kind of object."},
            "kind": {"type": "string", "description": "Kind of this object."},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": STATUS,
        },
        **_ROOT_RULES,
    }


def structural(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """A JSON schema of pydantic as Kubernetes wants it: references inlined, no titles, no defaults, no null."""
    if isinstance(schema, list):
        return [structural(part, definitions) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    plain = _inlined(_without_null(_inlined(schema, definitions)), definitions)
    made = {key: _part(key, value, definitions) for key, value in plain.items() if key not in _DROPPED}
    if made.get("additionalProperties") is False:  # every schema with properties prunes or refuses what is unknown
        del made["additionalProperties"]
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if made.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    return made


def _part(key: str, value: Any, definitions: Mapping[str, Any]) -> Any:
    """Properties are a map of names, which must not be mistaken for keywords: a field may be called `title`."""
    if key == "properties":
        return {name: structural(schema, definitions) for name, schema in value.items()}
    return structural(value, definitions)


def _inlined(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with the reference replaced by what it names; what stands beside the reference wins."""
    if "$ref" not in schema:
        return schema
    target = definitions[schema["$ref"].removeprefix("#/$defs/")]
    return {**_inlined(target, definitions), **{key: value for key, value in schema.items() if key != "$ref"}}


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """`X or null` becomes X: in a custom resource an absent field says it."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**options[0], **rest}
