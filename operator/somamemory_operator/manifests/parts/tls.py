"""TLS as objects: the certificates in force, the authorities that clients trust, what cert-manager is asked for.

Each part mounts a Secret with its own certificate only. Clients mount the authorities, which are no secret. The key
that signs is in a Secret that no pod mounts.
"""

from collections.abc import Iterator
from importlib.resources import files

from somamemory_operator.decide.tls.certificates import Certificates
from somamemory_operator.decide.tls.hosts import hosts, parts
from somamemory_operator.decide.tls.pairs import CHAIN, KEY, TRUST
from somamemory_operator.manifests.parts import pods
from somamemory_operator.manifests.parts.context import Context, compact
from somamemory_operator.model import names
from somamemory_operator.model.desired import Gate, Wanted
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Obj, at, encoded
from somamemory_operator.model.reasons import Reason

FOLDER, TRUST_FOLDER = "/run/tls", "/run/trust"
BOTH = "tls.pem"
"""Key and chain in one file, as Kafka wants them."""
CHAIN_FILE, KEY_FILE, OWN_TRUST_FILE, BOTH_FILE = (f"{FOLDER}/{name}" for name in (CHAIN, KEY, TRUST, BOTH))
TRUST_FILE = f"{TRUST_FOLDER}/{TRUST}"


def requests(context: Context) -> list[Obj]:
    """The Certificates of cert-manager: fields as in the reference of cert-manager.io/v1, its defaults left to it."""
    chosen = context.spec.tls
    if chosen.cert_manager is None:
        return []
    return [_request(context, part) for part in parts(context.memory)]


def build(context: Context) -> list[Wanted]:
    """What pods mount; the authorities first, so that nothing is shown that nobody could trust."""
    found = context.certificates
    if not found.is_on:
        return []
    made = [Wanted(_authority(context), guarded=True)] if found.authority else []
    is_told = at(context.world.get("ConfigMap", names.trust(context.name)), "data", TRUST) == found.bundle
    gate = Gate(is_told, Reason.WAITING, "It changes once the authorities that are to be trusted are written.")
    return [*made, Wanted(_trust(context)), *(Wanted(_certificate(context, part), gate) for part in found.pairs)]


def for_nothing_without(found: Certificates, objects: list[Wanted]) -> Iterator[Wanted]:
    """The objects; as long as a source has not brought every certificate, each of them waits."""
    if found.is_complete:
        yield from objects
        return
    waits = (Reason.WAITING, "The certificates are not complete yet.")
    reason, text = next(iter(found.gaps), waits)
    for each in objects:
        yield Wanted(each.obj, Gate(False, reason, text), each.guarded)


def server_volume(context: Context, part: Component) -> list[Obj]:
    """The certificate that a part shows, in a volume called `tls`; none in plain text."""
    if not context.certificates.is_on:
        return []
    secret = {"secretName": names.certificate(context.name, part), "defaultMode": pods.GROUP_READABLE}
    return [{"name": "tls", "secret": secret}]


def server_mount(context: Context) -> dict[str, str]:
    """Where that goes."""
    return {"tls": FOLDER} if context.certificates.is_on else {}


def trust_volume(context: Context) -> list[Obj]:
    """The authorities, in a volume called `trust`; none in plain text."""
    if not context.certificates.is_on:
        return []
    return [{"name": "trust", "configMap": {"name": names.trust(context.name)}}]


def trust_mount(context: Context) -> dict[str, str]:
    """Where that goes."""
    return {"trust": TRUST_FOLDER} if context.certificates.is_on else {}


def reloading(script: str) -> str:
    """A shell program that starts a server, and has it read its certificate again whenever that has changed."""
    folder = files("somamemory_operator.manifests.stores")
    return folder.joinpath("reload.sh").read_text() + folder.joinpath(script).read_text()


def _authority(context: Context) -> Obj:
    data = {name: encoded(text) for name, text in context.certificates.authority.items()}
    obj = context.obj("v1", "Secret", names.authority(context.name), Component.CREDENTIALS, type="Opaque", data=data)
    return _marked(obj, dict(context.certificates.authority_marks))


def _trust(context: Context) -> Obj:
    data = {TRUST: context.certificates.bundle}
    obj = context.obj("v1", "ConfigMap", names.trust(context.name), Component.CREDENTIALS, data=data)
    return _marked(obj, dict(context.certificates.marks))


def _certificate(context: Context, part: Component) -> Obj:
    pair, bundle = context.certificates.pairs[part], context.certificates.bundle
    texts = {CHAIN: pair.chain, KEY: pair.key, TRUST: bundle}
    if part is Component.KAFKA:
        texts[BOTH] = pair.key + pair.chain
    data = {name: encoded(text) for name, text in texts.items()}
    return context.obj("v1", "Secret", names.certificate(context.name, part), part, type="Opaque", data=data)


def _request(context: Context, part: Component) -> Obj:
    chosen, wanted, name = context.spec.tls, hosts(context.memory, part), names.issued(context.name, part)
    addresses = [host for host in wanted if host.replace(".", "").isdecimal() or ":" in host]
    issuer = chosen.cert_manager.issuer_ref if chosen.cert_manager is not None else None
    spec = {
        "secretName": name,
        "secretTemplate": {"labels": names.lasting_labels(context.name, Component.CREDENTIALS)},
        "duration": chosen.duration,
        "renewBefore": chosen.renew_before,
        "dnsNames": [host for host in wanted if host not in addresses],
        "ipAddresses": addresses,
        "usages": ["digital signature", "server auth"],
        "privateKey": {"algorithm": "ECDSA", "encoding": "PKCS8", "rotationPolicy": "Always", "size": 256},
        "issuerRef": issuer and issuer.model_dump(by_alias=True),
    }
    return context.obj("cert-manager.io/v1", "Certificate", name, part, spec=compact(spec))


def _marked(obj: Obj, annotations: dict[str, str]) -> Obj:
    return obj | {"metadata": compact(obj["metadata"] | {"annotations": annotations})}
