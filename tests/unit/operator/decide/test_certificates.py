"""Certificates: whose are in force, their renewal, and how another authority comes without a broken handshake."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from somamemory_operator.decide.sources import decoded
from somamemory_operator.decide.tls.certificates import renewals
from somamemory_operator.decide.tls.hosts import hosts, needed
from somamemory_operator.decide.tls.mint import X509Mint
from somamemory_operator.decide.tls.pairs import pair_in
from somamemory_operator.decide.tls.trust import RETIRED, trust
from somamemory_operator.model import names
from somamemory_operator.model.errors import InvalidSpec
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Key, Obj, component_of, key_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.model.x509 import Facts, Pair, certificates_in, facts
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.tls import tls_ready, told
from tests.unit.operator.decide.test_sources import secret
from tests.unit.operator.fakes import FakeCluster, memory

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
VOLUMES = {store.value: {"persistence": {"enabled": True}} for store in STORES}
PARTS = (*STORES, Component.API)


def wanted(**tls: object) -> SomaMemory:
    return memory({**VOLUMES, "tls": {"source": "operator", **tls}})


@pytest.fixture
def cluster() -> FakeCluster:
    return started(wanted())


def started(spec: SomaMemory) -> FakeCluster:
    made = FakeCluster()
    made.now = NOON
    made.settle(spec)
    later(made, minutes=1)
    made.writes.clear()
    return made


def later(cluster: FakeCluster, **by: float) -> datetime:
    assert cluster.now is not None
    cluster.now += timedelta(**by)
    return cluster.now


def pair(cluster: FakeCluster, part: Component) -> Pair:
    found = pair_in(cluster.objects[Key("Secret", f"demo-{part}-certificate")])
    assert found is not None
    return found


def shown(cluster: FakeCluster, part: Component = Component.POSTGRES) -> Facts:
    return facts(pair(cluster, part))


def bundle(cluster: FakeCluster) -> str:
    return str(cluster.objects[Key("ConfigMap", "demo-ca")]["data"]["ca.crt"])


def condition(cluster: FakeCluster, spec: SomaMemory) -> tuple[str, Reason]:
    assert cluster.now is not None
    [found] = tls_ready(spec, cluster.world, cluster.now)
    return found.status, found.reason


def templates(cluster: FakeCluster) -> dict[str, Obj]:
    kinds = ("StatefulSet", "Deployment")
    return {key.name: obj["spec"]["template"] for key, obj in cluster.objects.items() if key.kind in kinds}


def replace_programs(cluster: FakeCluster) -> None:
    mine = (Component.API, Component.CONSUMER)
    for key in [k for k, obj in cluster.objects.items() if k.kind == "Pod" and component_of(obj) in mine]:
        del cluster.objects[key]
    later(cluster, seconds=2)
    cluster.run_controllers()


# What is made


def test_every_part_has_its_own_certificate_of_one_authority(cluster: FakeCluster) -> None:
    authorities = certificates_in(bundle(cluster))

    assert len(authorities) == 1
    for part in PARTS:
        found = shown(cluster, part)
        assert found.leads_to(authorities)
        assert not found.lacks(hosts(wanted(), part))
        assert not found.lacks(needed(wanted(), part))
    assert len({pair(cluster, part).key for part in PARTS}) == len(PARTS)
    assert condition(cluster, wanted()) == ("True", Reason.READY)


def test_no_pod_mounts_the_key_that_signs(cluster: FakeCluster) -> None:
    mounted = {
        volume["secret"]["secretName"]
        for template in templates(cluster).values()
        for volume in template["spec"]["volumes"]
        if "secret" in volume
    }

    assert {f"demo-{part}-certificate" for part in PARTS} <= mounted
    assert "demo-authority" not in mounted


def test_a_quiet_pass_writes_nothing(cluster: FakeCluster) -> None:
    later(cluster, days=3)
    cluster.settle(wanted())

    assert cluster.writes == []


def test_external_stores_have_none_of_ours() -> None:
    spec = memory({"tls": {"source": "operator"}, "redis": {"external": {"host": "cache.example.org"}}})
    cluster = started(spec)

    assert Key("Secret", "demo-redis-certificate") not in cluster.objects
    assert Key("Secret", "demo-qdrant-certificate") in cluster.objects


# What an upgrade of the operator does


def test_production_speaks_tls_from_its_birth_and_goes_on_when_the_field_stays_empty() -> None:
    spec = memory({"profile": "production"})
    cluster = started(spec)

    assert condition(cluster, spec) == ("True", Reason.READY)
    for name in ("demo-authority", "demo-postgres-certificate"):
        cluster.delete(Key("Secret", name))
    cluster.settle(spec)
    assert shown(cluster)


def test_what_was_made_in_plain_text_is_not_restarted_and_says_so() -> None:
    plain = memory({"profile": "production", "tls": {"source": "none"}})
    cluster = started(plain)
    before = templates(cluster)
    unsaid = memory({"profile": "production"})
    cluster.settle(unsaid)

    assert templates(cluster) == before
    assert condition(cluster, unsaid) == ("False", Reason.NOT_ENCRYPTED)
    assert list(tls_ready(plain, cluster.world, NOON)) == []
    assert list(tls_ready(memory({}), cluster.world, NOON)) == []
    assert told(unsaid, cluster.world) is None


# Renewal


def test_certificates_are_renewed_in_time_by_the_same_authority_and_nothing_rolls(cluster: FakeCluster) -> None:
    before, rolled, signed = shown(cluster), templates(cluster), bundle(cluster)
    later(cluster, days=59)
    cluster.settle(wanted())
    assert shown(cluster) == before

    later(cluster, days=2)
    cluster.settle(wanted())

    assert shown(cluster).ends > before.ends
    assert shown(cluster).leads_to(certificates_in(signed))
    assert (templates(cluster), bundle(cluster)) == (rolled, signed)


def test_a_life_of_two_minutes_leaves_time_for_the_way_into_the_pod() -> None:
    spec = wanted(duration="2m")
    cluster = started(spec)
    for _ in range(60):
        now = later(cluster, seconds=10)
        cluster.settle(spec)
        assert all(shown(cluster, part).ends - now > timedelta(seconds=89) for part in PARTS)


def test_another_host_or_a_shorter_life_is_signed_at_once(cluster: FakeCluster) -> None:
    cluster.settle(wanted(names=["memory.example.org", "192.0.2.7"], duration="24h"))

    assert {"memory.example.org", "192.0.2.7"} <= shown(cluster, Component.API).names
    assert shown(cluster).ends < NOON + timedelta(hours=25)


def test_names_in_any_form_are_signed_once(cluster: FakeCluster) -> None:
    spec = wanted(names=["2001:DB8::0001", "Memory.Example.org", "*.example.org", "LOCALHOST"])
    cluster.settle(spec)
    cluster.writes.clear()
    cluster.settle(spec)

    assert cluster.writes == []
    assert {"2001:db8::1", "memory.example.org", "*.example.org"} <= shown(cluster, Component.API).names


def test_a_star_stands_for_every_name_below_it(mint: X509Mint) -> None:
    signed = facts(mint.sign(mint.authority("a"), "a", ["*.Example.org", "192.0.2.7"], timedelta(days=1)))

    assert signed.lacks(["a.example.org", "B.example.ORG", "192.0.2.7"]) == []
    assert signed.lacks(["example.org", "a.b.example.org", "192.0.2.8"]) == [
        "example.org",
        "a.b.example.org",
        "192.0.2.8",
    ]


def test_a_spoilt_certificate_is_made_anew(cluster: FakeCluster) -> None:
    data = cluster.objects[Key("Secret", "demo-redis-certificate")]["data"]
    data["tls.key"] = cluster.objects[Key("Secret", "demo-qdrant-certificate")]["data"]["tls.key"]
    cluster.settle(wanted())

    assert shown(cluster, Component.REDIS)


def test_what_is_not_renewed_is_told_before_it_ends(cluster: FakeCluster) -> None:
    later(cluster, days=70)
    assert condition(cluster, wanted()) == ("True", Reason.READY)
    later(cluster, days=10)
    assert condition(cluster, wanted()) == ("False", Reason.CERTIFICATE_EXPIRING)


# Another authority


def steps(cluster: FakeCluster, spec: SomaMemory) -> Iterator[None]:
    """Single passes; programs are replaced when their template has changed."""
    for _ in range(12):
        before = templates(cluster)
        later(cluster, seconds=5)
        todo = cluster.step(spec)
        if any(templates(cluster)[name] != before[name] for name in ("demo-api", "demo-consumer")):
            replace_programs(cluster)
        cluster.run_controllers()
        yield
        if todo.is_settled:
            return
    raise AssertionError("it does not end")


def test_another_authority_is_trusted_before_it_signs(cluster: FakeCluster) -> None:
    asked, old = wanted(rotate="today"), certificates_in(bundle(cluster))
    rolls, before = 0, templates(cluster)
    for _ in steps(cluster, asked):
        known = trust(asked, cluster.world).known
        assert all(shown(cluster, part).leads_to(certificates_in(bundle(cluster))) for part in PARTS)
        assert all(shown(cluster, part).leads_to([*known, *old]) for part in PARTS)
        rolls += templates(cluster)["demo-api"] != before["demo-api"]
        assert all(templates(cluster)[f"demo-{s}"] == before[f"demo-{s}"] for s in STORES)
        before = templates(cluster)

    assert rolls == 1
    assert not any(shown(cluster, part).leads_to(old) for part in PARTS)
    assert len(certificates_in(bundle(cluster))) == 2

    later(cluster, seconds=RETIRED.total_seconds() + 60)
    cluster.settle(asked)
    assert len(certificates_in(bundle(cluster))) == 1
    assert templates(cluster) == before
    cluster.writes.clear()
    cluster.settle(asked)
    assert cluster.writes == []


def test_while_programs_do_not_trust_it_nothing_of_it_is_shown(cluster: FakeCluster) -> None:
    asked, before = wanted(rotate="today"), shown(cluster)
    for _ in range(5):
        later(cluster, seconds=30)
        cluster.step(asked)

    assert shown(cluster) == before
    assert condition(cluster, asked) == ("False", Reason.ROTATING)


def test_an_authority_that_is_lost_is_replaced_in_the_same_way(cluster: FakeCluster) -> None:
    cluster.delete(Key("Secret", "demo-authority"))
    old = certificates_in(bundle(cluster))
    for _ in steps(cluster, wanted()):
        assert all(shown(cluster, part).leads_to(certificates_in(bundle(cluster))) for part in PARTS)

    assert not shown(cluster).leads_to(old)


def test_an_old_authority_is_replaced_in_time(cluster: FakeCluster) -> None:
    old = certificates_in(bundle(cluster))
    later(cluster, days=3650 * 0.85)
    for _ in steps(cluster, wanted()):
        pass

    assert not shown(cluster).leads_to(old)


@pytest.mark.parametrize("writes", range(6))
def test_an_operator_that_is_killed_anywhere_goes_on(writes: int) -> None:
    cluster = started(wanted())
    asked = wanted(rotate="today")
    for _ in range(3):
        later(cluster, seconds=5)
        cluster.step(asked, writes=writes)
        cluster.applied.clear()
    for _ in steps(cluster, asked):
        assert all(shown(cluster, part).leads_to(certificates_in(bundle(cluster))) for part in PARTS)
    assert condition(cluster, asked) == ("True", Reason.READY)


# Certificates of others


def brought(names_: list[str], mint: X509Mint, authority: Pair, name: str = "mine", **more: str) -> Obj:
    signed = mint.sign(authority, name, names_, timedelta(days=90))
    return secret(name, {"tls.crt": signed.chain, "tls.key": signed.key, "ca.crt": authority.chain, **more})


def with_theirs(mint: X509Mint) -> FakeCluster:
    """A cluster that runs on the certificate of a user's Secret."""
    made = FakeCluster()
    made.now = NOON
    made.brought["mine"] = brought(every_host(), mint, mint.authority("mine"))
    made.settle(existing())
    return made


def every_host() -> list[str]:
    return [host for part in PARTS for host in needed(existing(), part)]


def existing(**more: object) -> SomaMemory:
    return memory({**VOLUMES, "tls": {"source": "existing", "existing": {"name": "mine"}, **more}})


@pytest.fixture
def mint() -> X509Mint:
    return X509Mint(lambda: NOON)


def test_a_secret_of_the_users_is_copied_and_waited_for(mint: X509Mint) -> None:
    cluster = FakeCluster()
    cluster.now = NOON
    cluster.step(existing())
    assert cluster.objects == {}
    assert condition(cluster, existing()) == ("False", Reason.SECRET_MISSING)

    cluster.brought["mine"] = brought(every_host(), mint, mint.authority("mine"))
    cluster.settle(existing())
    assert condition(cluster, existing()) == ("True", Reason.READY)

    kept = pair(cluster, Component.API)
    del cluster.brought["mine"]
    cluster.settle(existing())
    assert pair(cluster, Component.API) == kept
    assert condition(cluster, existing()) == ("False", Reason.SECRET_MISSING)


def test_what_runs_in_plain_text_goes_on_until_every_certificate_is_there(mint: X509Mint) -> None:
    cluster = started(memory(VOLUMES))
    before = templates(cluster)
    cluster.settle(existing())
    assert templates(cluster) == before

    cluster.brought["mine"] = brought(every_host(), mint, mint.authority("mine"))
    cluster.settle(existing())
    assert condition(cluster, existing()) == ("True", Reason.READY)
    assert all(templates(cluster)[name] != before[name] for name in before)


def test_another_authority_of_theirs_is_trusted_first(mint: X509Mint) -> None:
    cluster = FakeCluster()
    cluster.now = NOON
    cluster.brought["mine"] = brought(every_host(), mint, mint.authority("first"))
    cluster.settle(existing())
    old = shown(cluster)
    cluster.brought["mine"] = brought(every_host(), mint, mint.authority("second"))
    later(cluster, seconds=5)
    cluster.step(existing())
    assert shown(cluster) == old

    for _ in steps(cluster, existing()):
        assert all(shown(cluster, part).leads_to(certificates_in(bundle(cluster))) for part in PARTS)
    assert shown(cluster) != old


WRONG = {
    "no key": ({"tls.key": ""}, Reason.KEY_MISSING, "tls.key"),
    "no authority": ({"ca.crt": ""}, Reason.KEY_MISSING, "ca.crt"),
    "no certificate": ({"tls.crt": "hello"}, Reason.CERTIFICATE_INVALID, "no certificate in PEM"),
    "a key that is none": ({"tls.key": "hello"}, Reason.CERTIFICATE_INVALID, "no private key in PEM"),
    "an authority that is none": ({"ca.crt": "hello"}, Reason.CERTIFICATE_INVALID, "not signed by an authority"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_used_is_told_and_changes_nothing(case: str, mint: X509Mint) -> None:
    change, reason, text = WRONG[case]
    cluster = FakeCluster()
    cluster.now = NOON
    authority = mint.authority("mine")
    cluster.brought["mine"] = brought(every_host(), mint, authority)
    cluster.settle(existing())
    kept = pair(cluster, Component.KAFKA)

    cluster.brought["mine"] = brought(every_host(), mint, authority, **change)
    cluster.settle(existing())

    [found] = tls_ready(existing(), cluster.world, NOON)
    assert (found.status, found.reason) == ("False", reason)
    assert text in found.message
    assert "goes on with the certificates from before" in found.message
    assert pair(cluster, Component.KAFKA) == kept


def test_a_certificate_for_other_hosts_is_refused_by_name(mint: X509Mint) -> None:
    cluster = FakeCluster()
    cluster.now = NOON
    cluster.brought["mine"] = brought(["demo-postgres", "*.space.svc"], mint, mint.authority("mine"))

    [found] = tls_ready(existing(), cluster.world, NOON)

    assert "is not for the host name demo-redis" in found.message
    assert "demo-api.space.svc" not in found.message  # the star stands for it


def test_a_certificate_whose_time_is_over_is_not_taken(mint: X509Mint) -> None:
    cluster = FakeCluster()
    cluster.now = NOON
    authority = mint.authority("mine")
    cluster.brought["mine"] = brought(every_host(), mint, authority)
    cluster.settle(existing())
    kept = pair(cluster, Component.REDIS)
    for clock in (NOON - timedelta(days=100), NOON + timedelta(days=1)):
        cluster.brought["mine"] = brought(every_host(), X509Mint(lambda clock=clock: clock), authority)  # type: ignore[misc]
        cluster.settle(existing())

        [found] = tls_ready(existing(), cluster.world, NOON)
        assert found.reason is Reason.CERTIFICATE_INVALID
        assert "is good from" in found.message
        assert pair(cluster, Component.REDIS) == kept


def issued(**more: object) -> SomaMemory:
    return memory({**VOLUMES, "tls": {"source": "certManager", "certManager": {"issuerRef": {"name": "ours"}}, **more}})


def test_certificates_are_asked_of_cert_manager_and_taken_over(mint: X509Mint) -> None:
    cluster = FakeCluster()
    cluster.now = NOON
    cluster.step(issued())
    asked = [obj for key, obj in cluster.objects.items() if key.kind == "Certificate"]
    assert len(asked) == len(PARTS)
    assert {obj["spec"]["issuerRef"]["name"] for obj in asked} == {"ours"}
    assert condition(cluster, issued()) == ("False", Reason.SECRET_MISSING)

    authority = mint.authority("ours")
    for obj in asked:
        name = obj["spec"]["secretName"]
        places = [*obj["spec"]["dnsNames"], *obj["spec"]["ipAddresses"]]
        cluster.brought[name] = brought(places, mint, authority, name)
    cluster.settle(issued())

    assert condition(cluster, issued()) == ("True", Reason.READY)


def test_without_cert_manager_the_condition_names_the_kind() -> None:
    cluster = FakeCluster()
    cluster.now = NOON
    cluster.unserved = frozenset({"Certificate"})
    cluster.step(issued())

    assert cluster.objects == {}
    assert condition(cluster, issued()) == ("False", Reason.KIND_MISSING)


def test_from_one_source_to_another_every_certificate_is_trusted_all_the_time(mint: X509Mint) -> None:
    cluster = started(wanted())
    cluster.brought["mine"] = brought(every_host(), mint, mint.authority("mine"))
    for spec in (existing(), wanted()):
        for _ in steps(cluster, spec):
            assert all(shown(cluster, part).leads_to(certificates_in(bundle(cluster))) for part in PARTS)
        assert condition(cluster, spec) == ("True", Reason.READY)


def test_nothing_secret_is_in_the_status(cluster: FakeCluster) -> None:
    said = str(told(wanted(), cluster.world)) + str(list(tls_ready(wanted(), cluster.world, NOON)))

    for name in ("demo-authority", "demo-api-certificate"):
        for value in decoded(cluster.objects[Key("Secret", name)]).values():
            assert value not in said
    assert names.trust("demo") in said


# What somebody has lost, edited, or does not let the operator see


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap", "Pod"])
def test_what_cannot_be_seen_is_not_decided_anew(cluster: FakeCluster, kind: str) -> None:
    before = {key: (obj.get("data"), obj.get("spec")) for key, obj in cluster.objects.items()}
    cluster.blind(kind)
    for _ in range(3):
        later(cluster, days=40)
        cluster.step(wanted(rotate="today"))
    cluster.blind()

    after = {key: (obj.get("data"), obj.get("spec")) for key, obj in cluster.objects.items()}
    assert after == before


def test_a_plain_one_that_cannot_be_seen_stays_plain() -> None:
    plain, unsaid = memory({"profile": "production", "tls": {"source": "none"}}), memory({"profile": "production"})
    cluster = started(plain)
    before = {key: obj.get("data") for key, obj in cluster.objects.items() if key.kind in ("ConfigMap", "Service")}
    cluster.blind("Secret")
    cluster.step(unsaid)
    cluster.blind()

    assert {key: cluster.objects[key].get("data") for key in before} == before
    assert Key("ConfigMap", "demo-ca") not in cluster.objects


def test_when_everything_is_lost_the_programs_are_rolled_to_what_is_made_anew(cluster: FakeCluster) -> None:
    before = templates(cluster)
    for name in ("demo-authority", *(f"demo-{part}-certificate" for part in PARTS)):
        cluster.delete(Key("Secret", name))
    for _ in steps(cluster, wanted()):
        pass

    assert templates(cluster)["demo-api"] != before["demo-api"]
    assert all(shown(cluster, part).leads_to(trust(wanted(), cluster.world).known) for part in PARTS)


@pytest.mark.parametrize("how", ["lost", "emptied", "nonsense"])
def test_a_lost_bundle_comes_back_from_beside_the_certificates(cluster: FakeCluster, how: str, mint: X509Mint) -> None:
    asked = wanted(rotate="today")
    for _ in steps(cluster, asked):
        pass
    said, rolled, key = bundle(cluster), templates(cluster), Key("ConfigMap", "demo-ca")
    if how == "lost":
        cluster.delete(key)
    else:
        cluster.edit(
            "ConfigMap", "demo-ca", lambda live: live["data"].update({"ca.crt": "" if how == "emptied" else "x"})
        )
    cluster.settle(asked)

    assert bundle(cluster) == said
    assert templates(cluster) == rolled
    assert condition(cluster, asked) == ("True", Reason.READY)


def test_a_lost_bundle_comes_back_although_the_users_secret_is_gone(mint: X509Mint) -> None:
    cluster = with_theirs(mint)
    said = bundle(cluster)
    del cluster.brought["mine"]
    cluster.delete(Key("ConfigMap", "demo-ca"))
    cluster.settle(existing())

    assert bundle(cluster) == said


def test_an_edited_mark_is_as_good_as_none(cluster: FakeCluster) -> None:
    def edit(live: Obj, said: str) -> None:
        live["metadata"]["annotations"] |= {names.RETIRING_ANNOTATION: said, names.TRUST_ANNOTATION: "many"}

    for said in ("yesterday", "2026-11-28T12:00:00"):
        cluster.edit("ConfigMap", "demo-ca", partial(edit, said=said))
        cluster.settle(wanted())

    assert condition(cluster, wanted()) == ("True", Reason.READY)


def test_a_pod_that_has_ended_holds_nothing_up(cluster: FakeCluster) -> None:
    evicted = {**cluster.objects[Key("Pod", "demo-api-0")], "status": {"phase": "Failed"}}
    evicted = {**evicted, "metadata": {**evicted["metadata"], "name": "evicted", "fakeOwner": "nobody"}}
    cluster.objects[Key("Pod", "evicted")] = evicted
    old = certificates_in(bundle(cluster))
    for _ in steps(cluster, wanted(rotate="today")):
        cluster.objects.setdefault(Key("Pod", "evicted"), evicted)

    assert not shown(cluster).leads_to(old)


def test_by_hand_nobody_is_rolled_and_the_condition_waits(cluster: FakeCluster) -> None:
    by_hand = memory({**VOLUMES, "tls": {"source": "operator"}, "secrets": {"rollout": "manual"}})
    cluster.settle(by_hand)
    before = templates(cluster)
    asked = memory({**VOLUMES, "tls": {"source": "operator", "rotate": "x"}, "secrets": {"rollout": "manual"}})
    for _ in range(5):
        later(cluster, minutes=10)
        cluster.step(asked)
    assert templates(cluster) == before
    assert condition(cluster, asked) == ("False", Reason.ROTATING)

    replace_programs(cluster)
    cluster.settle(asked)
    assert condition(cluster, asked) == ("True", Reason.READY)


def test_a_source_that_never_brings_anything_lets_the_operators_go_on(cluster: FakeCluster) -> None:
    cluster.unserved = frozenset({"Certificate"})
    for _ in range(12):
        now = later(cluster, days=10)
        cluster.settle(issued())
        assert shown(cluster).ends > now

    assert Key("Secret", "demo-authority") in cluster.objects
    assert condition(cluster, issued()) == ("False", Reason.KIND_MISSING)


def test_what_speaks_tls_goes_on_when_nobody_says_otherwise() -> None:
    cluster = started(memory({"profile": "production"}))
    before = templates(cluster)["demo-redis"]["spec"]["containers"][0]["command"]
    unsaid = memory({**VOLUMES, "profile": "development"})
    cluster.settle(unsaid)
    assert templates(cluster)["demo-redis"]["spec"]["containers"][0]["command"] == before

    for name in ("demo-credentials", "demo-credentials-copy"):
        del cluster.objects[Key("Secret", name)]["metadata"]["annotations"][names.TLS_ANNOTATION]
    cluster.settle(unsaid)
    assert condition(cluster, unsaid) == ("True", Reason.READY)


def test_a_renewal_right_after_the_beginning_is_no_endless_one() -> None:
    spec = wanted(duration="2m", renewBefore="119s")
    cluster = started(spec)
    cluster.now = NOON + timedelta(seconds=5)
    cluster.settle(spec)
    cluster.writes.clear()
    cluster.settle(spec)

    assert cluster.writes == []


def test_an_authority_outlives_what_it_signs() -> None:
    with pytest.raises(InvalidSpec, match="at most 17520h"):
        wanted(duration="17521h")
    spec = wanted(duration="17520h")
    cluster = started(spec)
    later(cluster, days=30)
    cluster.settle(spec)
    assert cluster.writes == []


def test_certificates_are_renewed_while_a_spec_is_refused(cluster: FakeCluster) -> None:
    later(cluster, days=70)
    _, todo = cluster.look(wanted())
    kept = renewals(todo, wanted(), cluster.world)

    assert {key_of(body).name for body in kept.applies} == {f"demo-{part}-certificate" for part in PARTS}
    assert (kept.creates, kept.deletions, kept.growths) == ((), (), ())


# Certificates that some server or client would not take


def signed_by(authority: Pair, key: Any, *extensions: x509.ExtensionType, hosts_: list[str] | None = None) -> Obj:
    """A certificate with just these extensions."""
    issuer = certificates_in(authority.chain)[0]
    signing = serialization.load_pem_private_key(authority.key.encode(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made by hand")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOON - timedelta(days=1))
        .not_valid_after(NOON + timedelta(days=90))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts_ or every_host()]), critical=False
        )
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    made = builder.sign(signing, hashes.SHA256())  # type: ignore[arg-type]
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    values = {"tls.crt": made.public_bytes(serialization.Encoding.PEM).decode(), "tls.key": private.decode()}
    return secret("mine", {**values, "ca.crt": authority.chain})


def test_another_kind_of_key_and_use_is_refused(mint: X509Mint) -> None:
    authority = mint.authority("mine")
    cases = {
        "neither RSA nor": signed_by(authority, ed25519.Ed25519PrivateKey.generate()),
        "not for servers": signed_by(
            authority, ec.generate_private_key(ec.SECP256R1()), x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        ),
    }
    for words, made in cases.items():
        cluster = FakeCluster()
        cluster.now = NOON
        cluster.brought["mine"] = made
        cluster.step(existing())
        [found] = tls_ready(existing(), cluster.world, NOON)
        assert (found.reason, cluster.objects) == (Reason.CERTIFICATE_INVALID, {})
        assert words in found.message


def test_rsa_and_chains_are_taken(mint: X509Mint) -> None:
    authority = mint.authority("mine")
    cluster = FakeCluster()
    cluster.now = NOON
    cluster.brought["mine"] = signed_by(authority, rsa.generate_private_key(public_exponent=65537, key_size=2048))
    cluster.settle(existing())

    assert condition(cluster, existing()) == ("True", Reason.READY)


def test_an_intermediate_alone_is_no_end_of_a_chain(mint: X509Mint) -> None:
    root = mint.authority("root")
    key = ec.generate_private_key(ec.SECP256R1())
    between = signed_by(root, key, x509.BasicConstraints(ca=True, path_length=0), hosts_=["between"])
    values = decoded(between)
    middle = Pair(f"{values['tls.crt']}\n", f"{values['tls.key']}\n")
    leaf = mint.sign(middle, "leaf", every_host(), timedelta(days=1))
    offers = {"ca.crt": middle.chain}, {"ca.crt": middle.chain + root.chain}
    reasons = []
    for more in offers:
        cluster = FakeCluster()
        cluster.now = NOON
        cluster.brought["mine"] = secret("mine", {"tls.crt": leaf.chain + middle.chain, "tls.key": leaf.key, **more})
        for _ in range(6):
            cluster.step(existing())
            cluster.run_controllers()
        [found] = tls_ready(existing(), cluster.world, NOON)
        reasons.append(found.reason)

    assert reasons == [Reason.CERTIFICATE_INVALID, Reason.READY]
