# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""Where passwords and tokens come from, and how a change of them reaches what runs."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from somamemory_operator.resource.base import Annotations, DnsName, Labels, Model, Rule
from somamemory_operator.resource.workload import KeyName

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Duration = Annotated[str, StringConstraints(pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$|^0$", max_length=32)]


class SecretKey(Model):
    """One key of a Secret in the same namespace."""

    name: DnsName
    """Name of the Secret."""
    key: KeyName | None = None
    """Key inside it; the name that the operator itself uses when absent, such as POSTGRES_PASSWORD."""


class ExistingSecrets(Model):
    """Secrets of yours. What has neither an entry nor a common Secret is generated."""

    obeys = (
        Rule(
            "has(self.name) || has(self.apiToken) || has(self.postgres) || has(self.redis) || has(self.qdrant)",
            "existing names no Secret: set name, or an entry such as postgres: {name: my-secret, key: password}",
            lambda it: any((it.name, it.api_token, it.postgres, it.redis, it.qdrant)),
        ),
    )
    name: DnsName | None = None
    """Secret with everything that has no entry of its own, under the keys SOMA_API_TOKEN, POSTGRES_PASSWORD,
    REDIS_PASSWORD, QDRANT_API_KEY."""
    api_token: SecretKey | None = None
    """The token that opens the API."""
    postgres: SecretKey | None = None
    """The password of Postgres."""
    redis: SecretKey | None = None
    """The password of Redis."""
    qdrant: SecretKey | None = None
    """The API key of Qdrant."""


class StoreRef(Model):
    """The SecretStore that External Secrets reads from."""

    name: DnsName
    """Its name."""
    kind: Literal["SecretStore", "ClusterSecretStore"] | None = None
    """Its kind."""


class RemoteRef(Model):
    """An entry of the secret store."""

    key: Text
    """Its name there."""
    property: Text | None = None
    """A part of it."""
    version: Text | None = None
    """A version of it."""
    conversion_strategy: Literal["Default", "Unicode"] | None = None
    """How names are made fit for keys."""
    decoding_strategy: Literal["Auto", "Base64", "Base64URL", "None"] | None = None
    """How values are decoded."""
    metadata_policy: Literal["None", "Fetch"] | None = None
    """Whether metadata is fetched instead."""


class ExternalData(Model):
    """One key that is filled from the secret store."""

    secret_key: KeyName
    """Key: SOMA_API_TOKEN, POSTGRES_PASSWORD, REDIS_PASSWORD or QDRANT_API_KEY; others are of no use here."""
    remote_ref: RemoteRef
    """What fills it."""


class FindName(Model):
    """Names to look for."""

    regexp: Text
    """A regular expression."""


class Find(Model):
    """Entries of the secret store that are looked for."""

    obeys = (Rule("has(self.name) || has(self.tags)", "find needs name or tags", lambda it: bool(it.name or it.tags)),)
    path: Text | None = None
    """Where to look."""
    name: FindName | None = None
    """By name."""
    tags: Labels = {}
    """By tags."""
    conversion_strategy: Literal["Default", "Unicode"] | None = None
    """How names are made fit for keys."""
    decoding_strategy: Literal["Auto", "Base64", "Base64URL", "None"] | None = None
    """How values are decoded."""


class ExternalDataFrom(Model):
    """Entries of which every part becomes a key."""

    obeys = (
        Rule(
            "has(self.extract) != has(self.find)",
            "dataFrom needs either extract or find",
            lambda it: (it.extract is None) != (it.find is None),
        ),
    )
    extract: RemoteRef | None = None
    """One entry."""
    find: Find | None = None
    """All entries that are found."""


class ExternalTemplateMetadata(Model):
    """Further marks of the resulting Secret."""

    labels: Labels = {}
    """Labels; those of the operator cannot be overridden."""
    annotations: Annotations = {}
    """Annotations."""


class ExternalTemplate(Model):
    """How the resulting Secret is made."""

    type: Text | None = None
    """Its type."""
    engine_version: Literal["v2"] | None = None
    """Engine of the templates in `data`."""
    data: Annotated[dict[str, Annotated[str, StringConstraints(max_length=8192)]], Field(max_length=32)] = {}
    """Keys made from others by a template of External Secrets."""
    metadata: ExternalTemplateMetadata = ExternalTemplateMetadata()
    """Further marks of it."""


class ExternalTarget(Model):
    """The Secret that External Secrets makes."""

    name: DnsName | None = None
    """Its name (default: NAME-external-secrets)."""
    creation_policy: Literal["Owner", "Orphan", "Merge"] | None = None
    """Who owns it."""
    deletion_policy: Literal["Retain", "Delete", "Merge"] | None = None
    """What happens to it when the secret store has lost the entries."""
    template: ExternalTemplate = ExternalTemplate()
    """How it is made."""


class ExternalSecret(Model):
    """An ExternalSecret that the operator makes. What its Secret holds counts, and outlasts it."""

    obeys = (
        Rule(
            "has(self.data) || has(self.dataFrom)",
            "externalSecret fetches nothing: set data or dataFrom",
            lambda it: bool(it.data or it.data_from),
        ),
    )
    secret_store_ref: StoreRef
    """Where the values are."""
    refresh_interval: Duration | None = None
    """How often they are read again, such as 1h."""
    refresh_policy: Literal["CreatedOnce", "Periodic", "OnChange"] | None = None
    """When they are read again."""
    target: ExternalTarget = ExternalTarget()
    """The Secret that is made."""
    data: Annotated[list[ExternalData], Field(max_length=32)] = []
    """Single keys. With these alone, what has no key here is generated."""
    data_from: Annotated[list[ExternalDataFrom], Field(max_length=16)] = []
    """Whole entries. With these, all four keys are expected."""


class Secrets(Model):
    """Where passwords and tokens come from."""

    obeys = (
        Rule(
            "(has(self.source) && self.source == 'existing') == has(self.existing)",
            "source: existing and existing go together: set both or none",
            lambda it: (it.source == "existing") == (it.existing is not None),
        ),
        Rule(
            "(has(self.source) && self.source == 'externalSecret') == has(self.externalSecret)",
            "source: externalSecret and externalSecret go together: set both or none",
            lambda it: (it.source == "externalSecret") == (it.external_secret is not None),
        ),
    )
    source: Literal["generated", "existing", "externalSecret"] = "generated"
    """`generated`: made by the operator; `existing`: read from Secrets of yours; `externalSecret`: from the Secret that
    External Secrets makes. All are kept in the Secret NAME-credentials."""
    rotate: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """Any new value, such as a date, has all generated values replaced once, without a failed request. What comes from
    another source is replaced there."""
    token_overlap_seconds: Annotated[int, Field(ge=0, le=31_536_000)] = 600
    """How long the API takes an old token beside the new one."""
    existing: ExistingSecrets | None = None
    """Your Secrets."""
    external_secret: ExternalSecret | None = None
    """What External Secrets is to fetch."""
    rollout: Literal["operator", "reloader", "manual"] = "operator"
    """Who restarts API and consumer when a password changes: the operator, Stakater's Reloader by its annotations, or
    nobody; they read changed files in any case."""


def dumped(model: Model) -> dict[str, Any]:
    """A model as it stands in a manifest: what was not said is left out, so that others' defaults hold."""
    return model.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
