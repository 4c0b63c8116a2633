"""What every builder looks at, and the metadata and images that all objects share."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from somamemory_operator.decide import external, images
from somamemory_operator.decide.credentials import Credentials
from somamemory_operator.decide.recovery import Recovery, recovery
from somamemory_operator.decide.tls.certificates import PLAIN, Certificates
from somamemory_operator.decide.versions import Versions, choose
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, World, at, holds
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.resource.spec import Spec
from somamemory_operator.resource.stores import Store
from somamemory_operator.settings import Settings


@dataclass(frozen=True)
class Context:
    """Everything that is known when manifests are built; without a `now` no maintenance window is open."""

    memory: SomaMemory
    settings: Settings
    world: World
    credentials: Credentials
    now: datetime | None = None
    certificates: Certificates = PLAIN

    @property
    def name(self) -> str:
        return self.memory.name

    @property
    def spec(self) -> Spec:
        return self.memory.spec

    @property
    def version(self) -> str:
        """The release of API and consumer."""
        return self.spec.version or self.settings.version

    @cached_property
    def recovery(self) -> Recovery:
        """Where it stands with a dump that is to be brought back."""
        return recovery(self.memory, self.world)

    @property
    def is_asleep(self) -> bool:
        """Whether API and consumer are to have no pods."""
        return self.spec.hibernated or self.recovery.is_under_way

    def replicas(self, wanted: int) -> int:
        """None at all while hibernated."""
        return 0 if self.spec.hibernated else wanted

    def store(self, component: Component) -> Store:
        """The part of the spec about one store."""
        store: Store = getattr(self.spec, component.value)
        return store

    def is_external(self, store: Component) -> bool:
        """Whether somebody else runs a store."""
        return external.of(self.memory, store) is not None

    @property
    def logs_in_at_kafka(self) -> bool:
        """Whether a Kafka of ours asks for a login: it does where it speaks TLS."""
        return self.certificates.is_on and not self.is_external(Component.KAFKA)

    @cached_property
    def files(self) -> external.Files:
        """What opens the stores that somebody else runs."""
        return external.files(self.memory, self.world)

    @property
    def revision(self) -> str:
        """How many times that has changed; empty without such stores."""
        if not external.stores(self.memory):
            return ""
        live = self.world.get("Secret", names.external_credentials(self.name))
        before = str(at(live, "metadata", "annotations", names.REVISION_ANNOTATION) or "0")
        return before if holds(live, self.files.data()) else str(int(before) + 1 if before.isdecimal() else 1)

    def api_image(self) -> str:
        """The image of API, consumer and migration. The operator's own release is its default image, whole."""
        version = None if self.version == self.settings.version else self.version
        return images.reference(
            self.settings.image_api, self.spec.image, registry=self.spec.image_registry, version=version
        )

    def store_image(self, component: Component) -> str:
        """The image that a store runs now."""
        return self.versions.images[component]

    @cached_property
    def versions(self) -> Versions:
        """Which images the stores run, and which changes of them wait."""
        return choose(self.memory, self.world, self.settings, self.now)

    def ports(self, component: Component) -> dict[str, int]:
        """The open ports of a component's pods by their names."""
        closed = {"grpc"} if component is Component.API and not self.spec.api.grpc.enabled else frozenset()
        return {name: port for name, port in names.PORTS[component].items() if name not in closed}

    def obj(self, api_version: str, kind: str, name: str, component: Component, **content: Any) -> Obj:
        """An object with the metadata that all of ours carry; the SomaMemory owns it."""
        metadata = {
            "name": name,
            "namespace": self.memory.namespace,
            "labels": names.labels(self.name, component),
            "ownerReferences": [self.owner()] if self.memory.uid else None,
        }
        return {"apiVersion": api_version, "kind": kind, "metadata": compact(metadata), **content}

    def owner(self) -> Obj:
        """The reference that makes the garbage collector remove a child with its SomaMemory."""
        return {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "name": self.name,
            "uid": self.memory.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }


def compact(mapping: Obj) -> Obj:
    """The mapping without what is None or empty: a field that we do not mean must not be applied."""
    return {key: value for key, value in mapping.items() if value is not None and value != {} and value != []}


def short_hash(*parts: Any) -> str:
    """A hash that fits into names and labels."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[: names.HASH_LENGTH]
