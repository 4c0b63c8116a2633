"""Stores that somebody else runs: nothing of them is deployed, all reach them, and no memory is left behind."""

import base64
import json
from datetime import UTC, datetime
from itertools import chain, combinations
from typing import Any

import pytest

from somamemory_operator.decide.checks import first_refusal
from somamemory_operator.decide.credentials import random_value
from somamemory_operator.decide.recovery import recovery
from somamemory_operator.decide.sources import decoded
from somamemory_operator.model import names
from somamemory_operator.model.names import STORES, Component
from somamemory_operator.model.observed import Key, Obj, component_of
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.components import View, reports
from tests.unit.operator.decide.test_sources import secret
from tests.unit.operator.fakes import SETTINGS, FakeCluster, memory

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
EXTERNAL: dict[str, Obj] = {
    "postgres": {
        "host": "db.example.com",
        "username": "us",
        "secretRef": {"name": "db", "key": "pw"},
        "tls": {"caSecret": {"name": "db-ca"}},
    },
    "redis": {"host": "cache.example.com", "port": 6380, "username": "us", "secretRef": {"name": "cache"}},
    "qdrant": {"host": "index.example.com", "secretRef": {"name": "index", "key": "key"}, "tls": {"enabled": False}},
    "kafka": {
        "bootstrapServers": "a:9093,b:9093",
        "sasl": {"mechanism": "SCRAM-SHA-512", "username": "us", "secretRef": {"name": "brokers"}},
        "tls": {"caSecret": {"name": "brokers-ca"}},
    },
}
BROUGHT = {
    "db": {"pw": "db-password"},
    "db-ca": {"ca.crt": "db-authority"},
    "cache": {"password": "cache-password"},
    "index": {"key": "index-key"},
    "brokers": {"password": "brokers-password"},
    "brokers-ca": {"ca.crt": "brokers-authority"},
}
COMBINATIONS = list(chain.from_iterable(combinations(EXTERNAL, count) for count in range(5)))


def spec_of(*stores: str, **more: Any) -> Obj:
    return {store: {"external": EXTERNAL[store]} for store in stores} | more


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster(random_value)
    made.brought = {name: secret(name, values) for name, values in BROUGHT.items()}
    return made


def variables(cluster: FakeCluster, component: str = "api") -> dict[str, str]:
    pod = cluster.objects[Key("Deployment", f"demo-{component}")]["spec"]["template"]["spec"]
    return {each["name"]: each.get("value", "") for each in pod["containers"][0]["env"]}


def mounted(cluster: FakeCluster) -> set[str]:
    """The files that the API finds among its credentials."""
    pod = cluster.objects[Key("Deployment", "demo-api")]["spec"]["template"]["spec"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "credentials"]
    found: list[str] = []
    for source in volume["projected"]["sources"]:
        held = decoded(cluster.objects[Key("Secret", source["secret"]["name"])])
        found += [item["path"] for item in source["secret"].get("items", [])] or list(held)
    assert len(found) == len(set(found)), "two files of one name"
    return set(found)


@pytest.mark.parametrize("stores", COMBINATIONS, ids=lambda stores: "+".join(stores) or "none")
@pytest.mark.parametrize("profile", ["development", "production"])
def test_each_combination_deploys_what_is_managed_and_reaches_what_is_not(
    cluster: FakeCluster, stores: tuple[str, ...], profile: str
) -> None:
    cluster.settle(memory(spec_of(*stores, profile=profile)))

    deployed = {obj["metadata"]["name"] for key, obj in cluster.objects.items() if key.kind == "StatefulSet"}
    assert deployed == {f"demo-{store.value}" for store in STORES if store.value not in stores}
    env, files = variables(cluster), mounted(cluster)
    assert all(value.rpartition("/")[2] in files for name, value in env.items() if name.endswith("_FILE"))
    assert ("db.example.com" in env["POSTGRES_URL"]) is ("postgres" in stores)
    assert ("cache.example.com" in env["REDIS_URL"]) is ("redis" in stores)
    assert ("index.example.com" in env["QDRANT_URL"]) is ("qdrant" in stores)
    assert (env["KAFKA_BOOTSTRAP_SERVERS"] == "a:9093,b:9093") is ("kafka" in stores)
    assert not any("password" in value and "FILE" not in name for name, value in env.items())


def test_all_external_by_tls_and_logins(cluster: FakeCluster) -> None:
    cluster.settle(memory(spec_of(*EXTERNAL)))

    env, folder = variables(cluster), "/run/credentials"
    assert env["POSTGRES_URL"] == "postgresql://us@db.example.com:5432/somamemory"
    assert (env["POSTGRES_SSL_MODE"], env["POSTGRES_SSL_ROOT_CERT"]) == ("verify-full", f"{folder}/postgres-ca.crt")
    assert env["REDIS_URL"] == "rediss://us@cache.example.com:6380/0"
    assert env["QDRANT_URL"] == "http://index.example.com:6333"
    assert env["KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    assert (env["KAFKA_SASL_MECHANISM"], env["KAFKA_SASL_USERNAME"]) == ("SCRAM-SHA-512", "us")
    assert env["KAFKA_SSL_CA_LOCATION"] == f"{folder}/kafka-ca.crt"
    assert decoded(cluster.objects[Key("Secret", "demo-external")]) == {
        "POSTGRES_PASSWORD": "db-password",
        "postgres-ca.crt": "db-authority",
        "REDIS_PASSWORD": "cache-password",
        "QDRANT_API_KEY": "index-key",
        "KAFKA_SASL_PASSWORD": "brokers-password",
        "kafka-ca.crt": "brokers-authority",
    }


def test_stores_that_ask_for_a_certificate_of_ours_get_one(cluster: FakeCluster) -> None:
    cluster.brought["us"] = secret("us", {"tls.crt": "our-certificate", "tls.key": "our-key"})
    wanted = spec_of("postgres", "redis", "kafka", backup={"schedule": "0 2 * * *"})
    for store in ("postgres", "redis", "kafka"):
        chosen = wanted[store]["external"]
        wanted[store] = {"external": chosen | {"tls": {**chosen.get("tls", {}), "clientSecret": {"name": "us"}}}}
    cluster.settle(memory(wanted))

    env, folder = variables(cluster), "/run/credentials"
    assert (env["POSTGRES_SSL_CERT"], env["POSTGRES_SSL_KEY"]) == (
        f"{folder}/postgres-client.crt",
        f"{folder}/postgres-client.key",
    )
    assert env["REDIS_TLS_KEY"] == f"{folder}/redis-client.key"
    assert env["KAFKA_SSL_CERTIFICATE_LOCATION"] == f"{folder}/kafka-client.crt"
    assert {f"{store}-client.{kind}" for store in ("postgres", "redis", "kafka") for kind in ("crt", "key")} <= mounted(
        cluster
    )
    dump = cluster.objects[Key("CronJob", "demo-backup")]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    told = {each["name"]: each.get("value") for each in dump["containers"][0]["env"]}
    assert told["PGSSLKEY"] == f"{folder}/postgres-client.key"
    assert decoded(cluster.objects[Key("Secret", "demo-external")])["redis-client.key"] == "our-key"


def test_our_programs_may_reach_the_stores_wherever_they_are_and_nothing_else(cluster: FakeCluster) -> None:
    spec = spec_of("kafka", networkPolicy={"enabled": True, "egress": True, "egressPorts": [443]})
    spec["redis"] = {"external": {"host": "192.0.2.7", "port": 6380}}
    cluster.settle(memory(spec))

    policy = cluster.objects[Key("NetworkPolicy", "demo-egress")]["spec"]
    assert policy["policyTypes"] == ["Egress"]
    [among] = policy["podSelector"]["matchExpressions"]
    assert {"api", "consumer", "migration", "preflight", "backup", "restore", "rotation"} <= set(among["values"])
    assert not {store.value for store in STORES} & set(among["values"])
    assert all({"port", "protocol"} == port.keys() for rule in policy["egress"] for port in rule["ports"])
    reached = {(str(rule.get("to", "anywhere")), port["port"]) for rule in policy["egress"] for port in rule["ports"]}
    assert {("anywhere", 53), ("anywhere", 9093), ("anywhere", 443)} <= reached
    assert (str([{"ipBlock": {"cidr": "192.0.2.7/32"}}]), 6380) in reached
    assert {port for where, port in reached if "demo" in where} == {5432, 6333, 6334}
    cluster.settle(memory(spec_of(networkPolicy={"enabled": True})))
    assert Key("NetworkPolicy", "demo-egress") not in cluster.objects


def test_a_master_that_sentinels_name(cluster: FakeCluster) -> None:
    chosen = {
        "sentinel": {"service": "ours", "hosts": ["a.example.com", "b.example.com:26380"]},
        "username": "us",
        "secretRef": {"name": "cache"},
        "port": 6390,
    }
    cluster.settle(memory({"redis": {"external": chosen}, "networkPolicy": {"enabled": True, "egress": True}}))

    assert variables(cluster)["REDIS_URL"] == "rediss+sentinel://us@a.example.com,b.example.com:26380/0?service=ours"
    rules = cluster.objects[Key("NetworkPolicy", "demo-egress")]["spec"]["egress"]
    assert {26379, 26380, 6390} <= {port["port"] for rule in rules for port in rule["ports"]}
    with pytest.raises(Exception, match="one of them"):
        memory({"redis": {"external": chosen | {"host": "c.example.com"}}})


def test_a_cluster_is_found_by_one_of_its_servers(cluster: FakeCluster) -> None:
    chosen = {"url": "rediss://us@cache.example.com:7000", "cluster": True, "secretRef": {"name": "cache"}}
    cluster.settle(memory({"redis": {"external": chosen}}))

    assert variables(cluster)["REDIS_URL"] == "rediss+cluster://us@cache.example.com:7000"
    for more in ({"url": "rediss://cache.example.com/1"}, {"url": None, "sentinel": {"service": "a", "hosts": ["b"]}}):
        with pytest.raises(Exception, match="neither sentinel nor another database"):
            memory({"redis": {"external": {key: value for key, value in (chosen | more).items() if value is not None}}})


def test_brokers_that_want_tokens(cluster: FakeCluster) -> None:
    sasl = {
        "mechanism": "OAUTHBEARER",
        "username": "us",
        "secretRef": {"name": "brokers"},
        "oauth": {"tokenUrl": "https://login.example.com/token", "scope": "kafka"},
    }
    cluster.settle(memory({"kafka": {"external": {"bootstrapServers": "a:9093", "sasl": sasl}}}))

    env = variables(cluster)
    assert (env["KAFKA_SASL_MECHANISM"], env["KAFKA_SASL_OAUTH_SCOPE"]) == ("OAUTHBEARER", "kafka")
    assert env["KAFKA_SASL_OAUTH_TOKEN_URL"] == "https://login.example.com/token"
    del sasl["oauth"]
    with pytest.raises(Exception, match="go together"):
        memory({"kafka": {"external": {"bootstrapServers": "a:9093", "sasl": sasl}}})


def test_one_address_says_as_much_as_its_parts(cluster: FakeCluster) -> None:
    key = {"name": "db", "key": "pw"}
    spec = {
        "postgres": {"external": {"url": "postgresql://us@db.example.com:6432/ours", "secretRef": key}},
        "redis": {"external": {"url": "redis://cache.example.com/3"}},
        "qdrant": {"external": {"url": "https://index.example.com:6334", "secretRef": key}},
    }
    cluster.settle(memory(spec))

    env = variables(cluster)
    assert env["POSTGRES_URL"] == "postgresql://us@db.example.com:6432/ours"
    assert env["POSTGRES_SSL_MODE"] == "verify-full"
    assert env["REDIS_URL"] == "redis://cache.example.com:6379/3"
    assert env["QDRANT_URL"] == "https://index.example.com:6334"


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"url": "redis://a/0", "host": "b"}, "url says host already"),
        ({"url": "redis://a/0", "port": 1}, "url says port already"),
        ({"url": "redis://:password@a/0"}, "match"),
        ({"url": "http://a"}, "match"),
        ({}, "by url, by host or by sentinel"),
    ],
)
def test_an_address_that_says_too_much_or_too_little_is_refused(chosen: Obj, words: str) -> None:
    with pytest.raises(Exception, match=words):
        memory({"redis": {"external": chosen}})


def test_a_certificate_of_ours_without_tls_is_refused() -> None:
    tls = {"enabled": False, "clientSecret": {"name": "us"}}
    with pytest.raises(Exception, match="clientSecret needs TLS"):
        memory({"redis": {"external": {"host": "cache.example.com", "tls": tls}}})


@pytest.mark.parametrize("field", ["image", "persistence", "config", "resources"])
def test_what_the_operator_would_need_is_refused_beside_it(field: str) -> None:
    value: Obj = {"image": {"tag": "17"}, "persistence": {"size": "5Gi"}, "config": {"a": "b"}, "resources": {}}[field]

    with pytest.raises(Exception, match="external excludes"):
        memory({"postgres": {"external": EXTERNAL["postgres"], field: value}})


def preflights(cluster: FakeCluster) -> dict[str, Obj]:
    return {
        obj["metadata"]["annotations"][names.STORE_ANNOTATION]: obj
        for key, obj in cluster.objects.items()
        if key.kind == "Job" and component_of(obj) == Component.PREFLIGHT
    }


def held(cluster: FakeCluster, wanted: SomaMemory) -> set[Key]:
    return {entry.key for entry in cluster.look(wanted)[1].held}


def test_nothing_uses_a_store_before_it_was_tried(cluster: FakeCluster) -> None:
    wanted = memory(spec_of("postgres", "kafka"))
    for _ in range(3):
        cluster.step(wanted)  # without controllers no Job ends

    assert preflights(cluster).keys() == {"postgres", "kafka"}
    assert {Key("Deployment", "demo-api"), Key("Deployment", "demo-consumer")} <= held(cluster, wanted)
    assert not [key for key in cluster.objects if key.name.startswith("demo-migrate")]

    cluster.settle(wanted)
    assert Key("Deployment", "demo-api") in cluster.objects


def pod_that_found(store: str, reason: str, message: str, at: str = "2026-11-28T12:00:00Z") -> Obj:
    told = json.dumps({store: {"store": store, "reason": reason, "version": None, "message": message}})
    ended = {"terminated": {"exitCode": 1, "finishedAt": at, "message": f"some log\n{told}\n"}}
    metadata = {
        "name": f"pod-{at}",
        "namespace": "space",
        "labels": names.labels("demo", Component.PREFLIGHT),
        "annotations": {names.STORE_ANNOTATION: store},
    }
    return {"kind": "Pod", "metadata": metadata, "spec": {}, "status": {"containerStatuses": [{"state": ended}]}}


def report(cluster: FakeCluster, wanted: SomaMemory, store: Component) -> tuple[Reason, str]:
    desired, plan = cluster.look(wanted)
    view = View(wanted, desired, plan, cluster.world, NOON, recovery(wanted, cluster.world))
    [found] = [each for each in reports(view) if each.component is store]
    return found.reason, found.message


def test_the_newest_finding_is_the_condition_of_the_store(cluster: FakeCluster) -> None:
    wanted = memory(spec_of("postgres"))
    for _ in range(3):
        cluster.step(wanted)
    assert report(cluster, wanted, Component.POSTGRES)[0] is Reason.PREFLIGHT_RUNNING

    for number, (reason, at) in enumerate(
        [("DnsFailed", "2026-11-28T12:00:00Z"), ("LoginFailed", "2026-11-28T12:01:00Z")]
    ):
        found = pod_that_found("postgres", reason, f"number {number}", at)
        cluster.objects[Key("Pod", found["metadata"]["name"])] = found
    assert report(cluster, wanted, Component.POSTGRES) == (Reason.LOGIN_FAILED, "number 1")

    cluster.settle(wanted)
    assert report(cluster, wanted, Component.POSTGRES)[0] is Reason.READY


def test_what_could_be_used_and_no_longer_can_is_told_and_nothing_is_taken_away(cluster: FakeCluster) -> None:
    wanted = memory(spec_of("postgres", "redis"))
    cluster.settle(wanted)
    check = cluster.objects[Key("CronJob", "demo-check")]["spec"]["jobTemplate"]["spec"]["template"]
    assert check["metadata"]["annotations"][names.STORE_ANNOTATION] == "postgres,redis"
    before = cluster.objects[Key("Deployment", "demo-api")]["spec"]

    lost = pod_that_found("postgres", "Unreachable", "nobody answers", "2026-11-28T13:00:00Z")
    lost["metadata"]["annotations"][names.STORE_ANNOTATION] = "postgres,redis"
    ended = lost["status"]["containerStatuses"][0]["state"]["terminated"]
    ended["message"] = ended["message"].replace(
        '{"postgres"', '{"redis": {"reason": "Ready", "message": ""}, "postgres"'
    )
    cluster.objects[Key("Pod", "lost")] = lost
    cluster.settle(wanted)

    assert report(cluster, wanted, Component.POSTGRES) == (Reason.UNREACHABLE, "nobody answers")
    assert report(cluster, wanted, Component.REDIS)[0] is Reason.READY
    assert cluster.objects[Key("Deployment", "demo-api")]["spec"] == before

    back = pod_that_found("postgres", "", "", "2026-11-28T13:05:00Z")
    back["metadata"]["annotations"][names.STORE_ANNOTATION] = "postgres,redis"
    back["status"]["containerStatuses"][0]["state"]["terminated"] |= {"exitCode": 0, "message": ""}
    cluster.objects[Key("Pod", "back")] = back
    assert report(cluster, wanted, Component.POSTGRES)[0] is Reason.READY


@pytest.mark.parametrize(
    "said", ["no JSON", '{"postgres": {"reason": "Gone", "message": "x"}}', "[1]", '{"redis": {}}']
)
def test_what_is_not_ours_is_not_passed_on(cluster: FakeCluster, said: str) -> None:
    wanted = memory(spec_of("postgres"))
    for _ in range(3):
        cluster.step(wanted)
    pod = pod_that_found("postgres", "DnsFailed", "x")
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] = said
    cluster.objects[Key("Pod", "found")] = pod

    reason, message = report(cluster, wanted, Component.POSTGRES)

    assert reason is Reason.PREFLIGHT_FAILED
    assert said not in message


def test_another_password_has_the_store_tried_again_and_rolls_the_programs_once(cluster: FakeCluster) -> None:
    wanted = memory(spec_of("postgres"))
    cluster.settle(wanted)
    first = preflights(cluster)["postgres"]["metadata"]["name"]
    before = cluster.objects[Key("Deployment", "demo-api")]["spec"]["template"]

    cluster.brought["db"] = secret("db", {"pw": "another"})
    cluster.settle(wanted)

    assert preflights(cluster)["postgres"]["metadata"]["name"] != first
    after = cluster.objects[Key("Deployment", "demo-api")]["spec"]["template"]
    marks = [each["metadata"]["annotations"][names.REVISION_ANNOTATION] for each in (before, after)]
    assert marks == ["1", "2"]


def test_a_key_of_others_in_our_secret_is_no_change(cluster: FakeCluster) -> None:
    wanted = memory(spec_of("postgres"))
    cluster.settle(wanted)
    cluster.objects[Key("Secret", "demo-external")]["data"]["NOTE"] = "aGVsbG8="

    assert cluster.look(wanted)[1].is_settled


def test_the_password_of_before_stays_known(cluster: FakeCluster) -> None:
    """The new one may be a mistake, or not be known to the store yet."""
    wanted = memory(spec_of("postgres"))
    cluster.settle(wanted)

    for value, before in (("another", "db-password"), ("a third", "another")):
        cluster.brought["db"] = secret("db", {"pw": value})
        cluster.settle(wanted)

        held = decoded(cluster.objects[Key("Secret", "demo-external")])
        assert (held["POSTGRES_PASSWORD"], held["POSTGRES_PASSWORD_PREVIOUS"]) == (value, before)


def test_a_secret_that_goes_away_takes_nothing_with_it(cluster: FakeCluster) -> None:
    wanted = memory(spec_of("postgres"))
    cluster.settle(wanted)
    before = decoded(cluster.objects[Key("Secret", "demo-external")])

    cluster.brought = {}
    cluster.settle(wanted)

    assert decoded(cluster.objects[Key("Secret", "demo-external")]) == before


def test_without_what_opens_it_nothing_is_applied(cluster: FakeCluster) -> None:
    cluster.brought = {}

    cluster.step(memory(spec_of("postgres")))

    assert cluster.writes == []


PERSISTENT = {"postgres": {"persistence": {"enabled": True}}}


@pytest.mark.parametrize("before", [PERSISTENT, {}], ids=["with a volume", "without"])
def test_memories_are_not_left_behind_unasked(cluster: FakeCluster, before: Obj) -> None:
    cluster.settle(memory(before))

    refusal = first_refusal(memory(spec_of("postgres")), cluster.world, SETTINGS)

    assert refusal is not None
    assert refusal.reason is Reason.DATA_LEFT_BEHIND
    cluster.settle(memory(spec_of("postgres", allowDataLoss=True)))
    assert Key("StatefulSet", "demo-postgres") not in cluster.objects


def test_nor_on_the_way_back(cluster: FakeCluster) -> None:
    cluster.settle(memory(spec_of("postgres")))

    refusal = first_refusal(memory(PERSISTENT), cluster.world, SETTINGS)

    assert refusal is not None
    assert refusal.reason is Reason.DATA_LEFT_BEHIND
    assert first_refusal(memory({**PERSISTENT, "allowDataLoss": True}), cluster.world, SETTINGS) is None


@pytest.mark.parametrize("store", ["redis", "qdrant", "kafka"])
def test_the_others_come_and_go(cluster: FakeCluster, store: str) -> None:
    cluster.settle(memory(PERSISTENT))
    cluster.settle(memory({**PERSISTENT, **spec_of(store)}))
    assert Key("StatefulSet", f"demo-{store}") not in cluster.objects

    cluster.settle(memory(PERSISTENT))

    assert Key("StatefulSet", f"demo-{store}") in cluster.objects
    assert not preflights(cluster)


def test_stores_of_the_operator_change_beside_external_ones(cluster: FakeCluster) -> None:
    cluster.settle(memory(spec_of("postgres")))
    newer = SETTINGS.model_copy(update={"image_redis": "docker.io/library/redis:8.2"})
    desired, _ = cluster.look(memory(spec_of("postgres")), newer)
    agreed = {"upgrade": {"agreedTo": desired.release}}

    assert [change.component for change in desired.changes] == [Component.REDIS]
    cluster.settle(memory(spec_of("postgres", **agreed)), newer)

    pod = cluster.objects[Key("StatefulSet", "demo-redis")]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "docker.io/library/redis:8.2"


def test_dumps_are_made_of_the_external_database(cluster: FakeCluster) -> None:
    cluster.settle(memory(spec_of("postgres", backup={"schedule": "0 2 * * *"})))

    job = cluster.objects[Key("CronJob", "demo-backup")]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    env = {each["name"]: each.get("value") for each in job["containers"][0]["env"]}
    assert (env["PGHOST"], env["PGUSER"], env["PGSSLMODE"]) == ("db.example.com", "us", "verify-full")
    assert (
        base64.b64decode(cluster.objects[Key("Secret", "demo-external")]["data"]["POSTGRES_PASSWORD"]) == b"db-password"
    )
    assert {"name": "credentials", "secret": {"secretName": "demo-external", "defaultMode": 0o440}} in job["volumes"]


def test_the_jobs_of_the_longest_name_have_names_that_are_labels(cluster: FakeCluster) -> None:
    """A Job's name becomes a label of its pods, and a label ends at 63 characters."""
    name = "n" * names.LONGEST_NAME
    asked = memory(spec_of(*EXTERNAL, backup={"schedule": "0 2 * * *"}), name=name)

    cluster.settle(asked)

    jobs = [key.name for key in cluster.objects if key.kind == "Job"]
    assert len([job for job in jobs if "preflight" in job]) == len(EXTERNAL), "one for each store"
    assert max(map(len, jobs)) <= 63
