"""Who shows a certificate, for which host names, and where others keep it."""

from somamemory_operator.decide import external
from somamemory_operator.model import names
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.x509 import normal
from somamemory_operator.resource.somamemory import SomaMemory


def parts(memory: SomaMemory) -> tuple[Component, ...]:
    """Who shows a certificate: the stores that the operator runs, and the API, over HTTP and gRPC."""
    return (*(store for store in STORES if external.of(memory, store) is None), Component.API)


def hosts(memory: SomaMemory, part: Component) -> list[str]:
    """The names by which a part is reached; that of a pod's own loopback is for its probes."""
    space, found = memory.namespace, list[str]()
    services = [names.child(memory.name, part)]
    if part is not Component.API:
        services.append(names.headless(memory.name, part))
    for service in services:
        found += [service, f"{service}.{space}", f"{service}.{space}.svc", f"{service}.{space}.svc.cluster.local"]
    if part is not Component.API:
        pod = f"{names.pod(memory.name, part)}.{names.headless(memory.name, part)}.{space}.svc"
        return [*found, pod, f"{pod}.cluster.local", "localhost", "127.0.0.1"]
    ingress = memory.spec.api.ingress
    own = [ingress.host] if ingress is not None and ingress.enabled and ingress.host else []
    more = (normal(name) for name in (*own, *memory.spec.tls.names))
    return list(dict.fromkeys((*found, *more, "localhost", "127.0.0.1")))


def needed(memory: SomaMemory, part: Component) -> list[str]:
    """Those of them by which our own programs, and most clients, really ask."""
    service = names.child(memory.name, part)
    if part is Component.API:
        return [names.host(memory.name, part, memory.namespace)]
    pod = f"{names.pod(memory.name, part)}.{names.headless(memory.name, part)}.{memory.namespace}.svc"
    return [service, pod] if part is Component.KAFKA else [service]


def origins(memory: SomaMemory) -> dict[Component, str]:
    """The Secrets of others that certificates are read from."""
    chosen = memory.spec.tls
    if chosen.source == "certManager":
        return {part: names.issued(memory.name, part) for part in parts(memory)}
    if chosen.existing is None:
        return {}
    named = {part: getattr(chosen.existing, part.value) or chosen.existing.name for part in parts(memory)}
    return {part: name for part, name in named.items() if name is not None}


def secrets_of(memory: SomaMemory) -> frozenset[str]:
    """The names of the Secrets that are to be looked at beside our own."""
    return frozenset(origins(memory).values())
