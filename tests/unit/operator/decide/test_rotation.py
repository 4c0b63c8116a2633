"""A value is replaced: programs first, then stores, and at no moment does anybody hold only what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from somamemory_operator.decide.credentials import (
    API_TOKEN,
    POSTGRES_PASSWORD,
    QDRANT_API_KEY,
    REDIS_PASSWORD,
    random_value,
)
from somamemory_operator.decide.rotation import COMING, PREVIOUS
from somamemory_operator.decide.sources import KAFKA_LOGIN, decoded
from somamemory_operator.model import names
from somamemory_operator.model.names import Component
from somamemory_operator.model.observed import Key, Obj, component_of, encoded
from somamemory_operator.model.reasons import Reason
from somamemory_operator.resource.somamemory import SomaMemory
from somamemory_operator.status.secrets import secrets_ready, told
from tests.unit.operator.decide.test_sources import secret as brought_secret
from tests.unit.operator.fakes import FakeCluster, memory

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
STORES = (POSTGRES_PASSWORD, REDIS_PASSWORD, QDRANT_API_KEY)
PROGRAMS = ("demo-api", "demo-consumer")
VOLUMES = {store.value: {"persistence": {"enabled": True}} for store in names.STORES}


def asked(word: str = "today", **more: object) -> SomaMemory:
    return memory({**VOLUMES, "secrets": {"rotate": word, **more}})


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster(random_value)
    made.now = NOON
    made.settle(memory(VOLUMES))
    made.now = NOON + timedelta(minutes=1)
    made.writes.clear()
    return made


def stored(cluster: FakeCluster, name: str = "demo-credentials") -> dict[str, str]:
    return decoded(cluster.objects[Key("Secret", name)])


def templates(cluster: FakeCluster) -> dict[str, Obj]:
    kinds = ("StatefulSet", "Deployment")
    return {key.name: obj["spec"]["template"] for key, obj in cluster.objects.items() if key.kind in kinds}


def replace_programs(cluster: FakeCluster) -> None:
    """What a rollout does: pods of API and consumer go, younger ones come."""
    mine = (Component.API, Component.CONSUMER)
    old = [key for key, obj in cluster.objects.items() if key.kind == "Pod" and component_of(obj) in mine]
    for key in old:
        del cluster.objects[key]
    cluster.run_controllers()


def turns(cluster: FakeCluster, wanted: SomaMemory, seconds: int = 5) -> Iterator[None]:
    """Passes and controllers, a few seconds apart, until nothing is under way."""
    for _ in range(60):
        before = templates(cluster)
        cluster.step(wanted)
        assert cluster.now is not None
        cluster.now += timedelta(seconds=seconds)
        after = templates(cluster)
        if any(before[name] != after[name] for name in PROGRAMS):
            replace_programs(cluster)
        cluster.run_controllers()
        yield
        if not told(wanted, cluster.world).get("rotating"):
            return
    raise AssertionError("it does not end")


def test_all_values_are_replaced_once_for_each_new_word(cluster: FakeCluster) -> None:
    before = stored(cluster)

    for _ in turns(cluster, asked()):
        pass
    after = stored(cluster)
    cluster.settle(asked())

    assert all(after[key] != before[key] for key in (API_TOKEN, *STORES))
    assert after["KAFKA_CLUSTER_ID"] == before["KAFKA_CLUSTER_ID"]
    assert stored(cluster) == after == stored(cluster, "demo-credentials-copy")
    assert secrets_ready(asked(), cluster.world, None).reason is Reason.READY


def test_programs_hold_both_values_before_any_store_changes_over(cluster: FakeCluster) -> None:
    in_force = {key: stored(cluster)[key] for key in STORES}
    before = templates(cluster)

    for _ in turns(cluster, asked()):
        held = stored(cluster, "demo-program-credentials")
        for key in STORES:
            assert stored(cluster)[key] in (held[key], held[f"{key}_PREVIOUS"]), "a program lacks what is in force"
            if templates(cluster)["demo-redis"] == before["demo-redis"] and key == REDIS_PASSWORD:
                assert stored(cluster)[key] == in_force[key], "Redis is to take a password that it does not have"
        if any(templates(cluster)[name] != before[name] for name in ("demo-redis", "demo-qdrant")):
            assert held[REDIS_PASSWORD] != in_force[REDIS_PASSWORD]


def test_programs_roll_once_and_stores_in_order_but_never_postgres(cluster: FakeCluster) -> None:
    seen: dict[str, list[Obj]] = {name: [template] for name, template in templates(cluster).items()}

    for _ in turns(cluster, asked()):
        for name, template in templates(cluster).items():
            if seen[name][-1] != template:
                seen[name].append(template)

    changes = {name: len(found) - 1 for name, found in seen.items()}
    assert changes == {
        "demo-api": 1,
        "demo-consumer": 1,
        "demo-redis": 1,
        "demo-qdrant": 1,
        "demo-postgres": 0,
        "demo-kafka": 0,
    }


def test_the_secret_of_the_programs_changes_once(cluster: FakeCluster) -> None:
    for _ in turns(cluster, asked()):
        pass
    cluster.settle(asked())

    assert cluster.writes.count("Apply Secret demo-program-credentials") == 1


def test_postgres_takes_its_password_by_a_job_that_waits_for_the_programs(cluster: FakeCluster) -> None:
    wanted = asked(rollout="manual")
    cluster.step(wanted)
    cluster.step(wanted)
    desired, _ = cluster.look(wanted)
    [job] = [each for each in desired if each.key.kind == "Job" and component_of(each.obj) == Component.ROTATION]
    assert job.held is not None
    assert cluster.now is not None

    cluster.now += timedelta(seconds=181)
    desired, _ = cluster.look(wanted)
    [job] = [each for each in desired if each.key == job.key]

    assert job.held is None
    assert job.obj["spec"]["template"]["spec"]["containers"][0]["command"][:2] == ["soma", "rotate-password"]


@pytest.mark.parametrize("rollout", ["manual", "reloader"])
def test_without_our_restart_nothing_rolls_and_time_has_to_pass(cluster: FakeCluster, rollout: str) -> None:
    wanted = asked(rollout=rollout)
    in_force = stored(cluster)
    cluster.settle(memory({**VOLUMES, "secrets": {"rollout": rollout}}))
    before = templates(cluster)

    for _ in range(8):
        cluster.step(wanted)
        cluster.run_controllers()
    assert stored(cluster)[REDIS_PASSWORD] == in_force[REDIS_PASSWORD]
    assert cluster.now is not None
    cluster.now += timedelta(seconds=181)
    for _ in turns(cluster, wanted):
        pass

    assert stored(cluster)[REDIS_PASSWORD] != in_force[REDIS_PASSWORD]
    assert {name: templates(cluster)[name] for name in PROGRAMS} == {name: before[name] for name in PROGRAMS}


def test_the_old_token_is_taken_until_its_overlap_ends(cluster: FakeCluster) -> None:
    old = stored(cluster)[API_TOKEN]
    for _ in turns(cluster, asked(tokenOverlapSeconds=60)):
        assert old in stored(cluster, "demo-api-tokens")[API_TOKEN].split()
    new = stored(cluster)[API_TOKEN]
    assert told(asked(), cluster.world)["previousTokenUntil"]
    assert cluster.now is not None

    cluster.now += timedelta(seconds=61)
    cluster.settle(asked(tokenOverlapSeconds=60))

    assert stored(cluster, "demo-api-tokens")[API_TOKEN].split() == [new]
    assert "previousTokenUntil" not in told(asked(), cluster.world)


def test_a_failed_job_leaves_both_values_valid_and_says_so(cluster: FakeCluster) -> None:
    in_force = stored(cluster)[POSTGRES_PASSWORD]
    for _ in turns(cluster, asked()):
        for key, obj in cluster.objects.items():
            if key.kind == "Job" and component_of(obj) == Component.ROTATION:
                obj["status"] = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}
                cluster.step(asked())
                assert secrets_ready(asked(), cluster.world, None).reason is Reason.ROTATION_FAILED
                held = stored(cluster, "demo-program-credentials")
                assert stored(cluster)[POSTGRES_PASSWORD] == in_force == held["POSTGRES_PASSWORD_PREVIOUS"]
                return
    raise AssertionError("there was no Job")


@pytest.mark.parametrize("writes", range(1, 8))
def test_an_operator_that_is_killed_anywhere_goes_on(cluster: FakeCluster, writes: int) -> None:
    """The same requests, the programs holding what is in force all the time, and an end."""
    before = stored(cluster)
    for _ in range(3):
        cluster.step(asked(), writes=writes)
        cluster.applied.clear()
        if Key("Secret", "demo-program-credentials") in cluster.objects:
            held = stored(cluster, "demo-program-credentials")
            assert before[REDIS_PASSWORD] in (held[REDIS_PASSWORD], held[f"{REDIS_PASSWORD}_PREVIOUS"])
    for _ in turns(cluster, asked()):
        pass

    assert all(stored(cluster)[key] != before[key] for key in STORES)
    assert stored(cluster) == stored(cluster, "demo-credentials-copy")


def test_a_second_request_waits_for_the_first(cluster: FakeCluster) -> None:
    cluster.step(asked("one"))
    coming = stored(cluster)[f"{POSTGRES_PASSWORD}_NEXT"]

    cluster.step(asked("two"))
    assert stored(cluster)[f"{POSTGRES_PASSWORD}_NEXT"] == coming
    for _ in turns(cluster, asked("two")):
        pass
    for _ in turns(cluster, asked("two")):
        pass

    assert stored(cluster)[POSTGRES_PASSWORD] != coming
    assert stored(cluster)[f"{POSTGRES_PASSWORD}_PREVIOUS"] == coming


def test_a_new_somamemory_that_asks_for_a_rotation_has_none(cluster: FakeCluster) -> None:
    fresh = FakeCluster(random_value)
    fresh.now = NOON

    fresh.settle(asked())

    assert not told(asked(), fresh.world).get("rotating")
    assert not any("_NEXT" in key or "_PREVIOUS" in key for key in stored(fresh))


def test_a_request_replaces_only_what_is_generated(cluster: FakeCluster) -> None:
    before = stored(cluster)
    cluster.brought["mine"] = brought_secret("mine", {"pw": before[POSTGRES_PASSWORD]})
    wanted = asked(source="existing", existing={"postgres": {"name": "mine", "key": "pw"}})

    for _ in turns(cluster, wanted):
        pass

    assert stored(cluster)[POSTGRES_PASSWORD] == before[POSTGRES_PASSWORD]
    assert stored(cluster)[REDIS_PASSWORD] != before[REDIS_PASSWORD]


def test_an_operator_that_is_killed_between_both_secrets_keeps_the_value_before(cluster: FakeCluster) -> None:
    """The first says that a value is in force by now, the copy still that it is coming."""
    before = stored(cluster)[REDIS_PASSWORD]
    for _ in range(40):
        cluster.step(asked(), writes=1)
        replace_programs(cluster)
        assert cluster.now is not None
        cluster.now += timedelta(seconds=5)
        if stored(cluster)[REDIS_PASSWORD] != before == stored(cluster, "demo-credentials-copy")[REDIS_PASSWORD]:
            break
    else:
        raise AssertionError("the moment did not come")

    cluster.step(asked())

    held = stored(cluster, "demo-program-credentials")
    assert stored(cluster, "demo-credentials-copy")[f"{REDIS_PASSWORD}_PREVIOUS"] == before
    assert held[f"{REDIS_PASSWORD}_PREVIOUS"] == before


def test_keys_of_others_beside_ours_hold_nothing_up(cluster: FakeCluster) -> None:
    for name in ("demo-credentials", "demo-program-credentials"):
        cluster.objects[Key("Secret", name)]["data"]["NOTE"] = "aGVsbG8="

    desired, plan = cluster.look(memory(VOLUMES))

    assert not [each.key for each in desired if each.held is not None]
    assert plan.held == ()


LONG = 15
"""Seconds between two passes where minutes have to go by."""
READ_LATE = 120 // LONG
"""Turns until a pod has read a changed file, with some to spare."""
ENCRYPTED = {**VOLUMES, "tls": {"source": "operator"}}


@pytest.mark.parametrize("rollout", ["operator", "manual"])
def test_kafka_and_the_programs_have_a_login_in_common_however_late_they_read(
    cluster: FakeCluster, rollout: str
) -> None:
    """A user of its own for each login, taken beside the one before; also when the next rotation follows at once."""
    cluster.settle(memory(ENCRYPTED))
    old, template = stored(cluster)[KAFKA_LOGIN], templates(cluster)["demo-kafka"]
    assert stored(cluster, names.program_credentials("demo"))[KAFKA_LOGIN] == old
    taken, known = [{old}], [{old}]

    for word in ("one", "two"):
        for _ in turns(cluster, memory({**ENCRYPTED, "secrets": {"rotate": word, "rollout": rollout}}), seconds=LONG):
            taken.append(logins(stored(cluster), COMING))
            known.append(logins(stored(cluster, names.program_credentials("demo")), PREVIOUS))
            for mounted, held in product(taken[-READ_LATE:], known[-READ_LATE:]):
                assert mounted & held, "a pod may read its files as late as that"

    assert len({frozenset(each) for each in taken}) == 5, "alone, beside the next, alone, beside the next, alone"
    new = stored(cluster)[KAFKA_LOGIN]
    assert taken[-1] == {new}
    assert new.partition(":")[0] != old.partition(":")[0]
    assert templates(cluster)["demo-kafka"] == template, "it restarts for nothing"


def test_a_login_that_kafka_does_not_ask_for_is_there_and_stays(cluster: FakeCluster) -> None:
    """Before Kafka speaks TLS, so that no program is made that misses it, and afterwards for those that still run."""
    before = stored(cluster)[KAFKA_LOGIN]

    for _ in turns(cluster, asked()):
        assert logins(stored(cluster, names.program_credentials("demo")), PREVIOUS) == {before}

    assert stored(cluster)[KAFKA_LOGIN] == before


def test_a_login_that_is_on_its_way_when_kafka_goes_back_to_plain_text_holds_nothing_up(cluster: FakeCluster) -> None:
    cluster.settle(memory(ENCRYPTED))
    cluster.step(memory({**ENCRYPTED, "secrets": {"rotate": "today"}}))
    assert f"{KAFKA_LOGIN}{COMING}" in stored(cluster)

    for _ in turns(cluster, memory({**VOLUMES, "tls": {"source": "none"}, "secrets": {"rotate": "today"}})):
        pass

    assert f"{KAFKA_LOGIN}{COMING}" not in stored(cluster)


@pytest.mark.parametrize("edited", ["none", ":x", "x:", "a b:c", "a:b\nc:d"])
def test_a_login_that_cannot_be_one_comes_back_from_the_copy(cluster: FakeCluster, edited: str) -> None:
    cluster.settle(memory(ENCRYPTED))
    before = stored(cluster)[KAFKA_LOGIN]
    cluster.edit("Secret", "demo-credentials", lambda live: live["data"].update({KAFKA_LOGIN: encoded(edited)}))

    cluster.settle(memory(ENCRYPTED))

    assert stored(cluster)[KAFKA_LOGIN] == before


@pytest.mark.parametrize("both", [False, True])
def test_a_login_that_is_lost_while_another_is_coming_holds_nothing_up(cluster: FakeCluster, both: bool) -> None:
    cluster.settle(memory(ENCRYPTED))
    wanted = memory({**ENCRYPTED, "secrets": {"rotate": "today"}})
    cluster.step(wanted)
    for name in ("demo-credentials", "demo-credentials-copy")[: 2 if both else 1]:
        cluster.edit("Secret", name, lambda live: live["data"].pop(KAFKA_LOGIN))

    for _ in turns(cluster, wanted, seconds=LONG):
        pass

    assert logins(stored(cluster), COMING) == {stored(cluster, names.program_credentials("demo"))[KAFKA_LOGIN]}


def logins(values: dict[str, str], other: str) -> set[str]:
    return {values[key] for key in (KAFKA_LOGIN, f"{KAFKA_LOGIN}{other}") if key in values}
