"""The client of the API: what it tries again, how long, and what it raises."""

import httpx
import pytest

from somafractalmemory import errors
from somafractalmemory.calling.inprocess import InProcess
from somafractalmemory.calling.requesting import Patience, Requester
from somafractalmemory.client import Client
from tests.unit.api_server.conftest import TOKEN, World


class Talk:
    """A requester over answers that a test lays down, with the waits it took and the requests it sent."""

    def __init__(self, *answers: httpx.Response | Exception, patience: Patience | None = None) -> None:
        self.waits: list[float] = []
        self.requests: list[httpx.Request] = []
        self._answers = iter(answers)
        http = httpx.Client(base_url="http://soma", transport=httpx.MockTransport(self._answer))
        self.requester = Requester(http, patience=patience or Patience(), sleep=self.waits.append, chance=lambda: 0.0)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def problem(status: int, detail: str = "so it is", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"detail": detail}, headers=headers)


GOOD = httpx.Response(200, json={})


def test_what_is_limited_or_away_is_tried_again_after_the_time_it_names() -> None:
    talk = Talk(problem(429, **{"retry-after": "7"}), problem(503, **{"retry-after": "2"}), problem(503), GOOD)

    assert talk.requester.send("POST", "/store").status_code == 200
    assert talk.waits == [7.0, 2.0, 2.0]


def test_each_attempt_of_a_write_carries_the_same_key_and_each_write_another() -> None:
    talk = Talk(problem(503), GOOD, GOOD, GOOD)

    talk.requester.send("POST", "/store")
    talk.requester.send("POST", "/store")
    talk.requester.send("POST", "/recall", reads=True)

    first, again, other, read = [request.headers.get("idempotency-key") for request in talk.requests]
    assert first == again
    assert first != other
    assert read is None


def test_attempts_and_waiting_have_a_limit() -> None:
    few = Talk(*[problem(503)] * 9, patience=Patience(attempts=3))
    with pytest.raises(errors.Unavailable, match="so it is"):
        few.requester.send("GET", "/stats")
    assert len(few.requests) == 3

    long = Talk(problem(429, **{"retry-after": "3600"}), GOOD)
    with pytest.raises(errors.RateLimited) as caught:
        long.requester.send("GET", "/stats")
    assert caught.value.retry_after_seconds == 3600
    assert long.waits == []


def test_waits_are_spread_by_chance() -> None:
    talk = Talk(problem(429, **{"retry-after": "8"}), GOOD)
    talk.requester._chance = lambda: 1.0

    talk.requester.send("GET", "/stats")

    assert talk.waits == [10.0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (401, errors.Unauthenticated),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (412, errors.VersionMismatch),
        (413, errors.TooLarge),
        (422, errors.InvalidRequest),
        (500, errors.SomaError),
    ],
)
def test_every_refusal_is_our_own_error_at_once(status: int, kind: type[errors.SomaError]) -> None:
    talk = Talk(problem(status, "the coordinate is none"))

    with pytest.raises(kind, match="the coordinate is none"):
        talk.requester.send("GET", "/stats")
    assert talk.waits == []


def test_an_unknown_route_is_no_missing_memory() -> None:
    talk = Talk(problem(404, "Not Found"))

    with pytest.raises(errors.SomaError, match="of this release") as caught:
        talk.requester.send("GET", "/stats")
    assert not isinstance(caught.value, errors.NotFound)


def test_an_answer_that_is_no_json_is_shown_in_short() -> None:
    talk = Talk(httpx.Response(500, text="<html>" + "x" * 5000))

    with pytest.raises(errors.SomaError) as caught:
        talk.requester.send("GET", "/stats")
    assert len(str(caught.value)) < 400


def test_a_connection_that_was_never_made_is_tried_again_also_for_writes() -> None:
    talk = Talk(httpx.ConnectError("refused"), GOOD)

    assert talk.requester.send("POST", "/store").status_code == 200


def test_what_broke_off_is_sent_again_with_its_key_but_a_spent_deadline_is_not() -> None:
    talk = Talk(httpx.RemoteProtocolError("cut"), GOOD)
    assert talk.requester.send("POST", "/store").status_code == 200
    assert len({request.headers["idempotency-key"] for request in talk.requests}) == 1

    late = Talk(httpx.ReadTimeout("late"), GOOD)
    with pytest.raises(errors.Unavailable, match="in time"):
        late.requester.send("GET", "/stats")
    assert len(late.requests) == 1


def test_a_write_that_is_still_under_way_is_waited_for() -> None:
    talk = Talk(httpx.RemoteProtocolError("cut"), problem(409, **{"retry-after": "3"}), GOOD)

    assert talk.requester.send("POST", "/store").status_code == 200
    assert talk.waits[1] == 3.0

    with pytest.raises(errors.InProgress):
        Talk(problem(409), patience=Patience(attempts=1)).requester.send("POST", "/store")


def test_a_stream_of_a_body_begins_anew_with_each_attempt() -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return problem(503) if len(bodies) == 1 else GOOD

    http = httpx.Client(base_url="http://soma", transport=httpx.MockTransport(answer))
    requester = Requester(http, patience=Patience(), sleep=lambda _: None)

    requester.send("POST", "/import", body=lambda: iter([b"one", b"two"]))

    assert bodies == [b"onetwo", b"onetwo"]


def in_process(world: World) -> Client:
    return Client("http://soma", token=TOKEN, transport=InProcess(world.app()).__enter__())


def test_pages_are_followed_to_their_end(world: World) -> None:
    with in_process(world) as client:
        client.store_bulk([{"coord": str(number), "payload": {}} for number in range(1000)])
        client.store("1000", {})

        assert len(list(client.memories())) == 1001
        assert len(list(client.places_within("0", "2000"))) == 1001


def test_an_application_that_cannot_start_raises_what_it_raised(world: World) -> None:
    app = world.app()

    def broken(*_: object) -> None:
        raise errors.ConfigurationError("no token")

    app.router.lifespan_context = broken  # type: ignore[assignment]
    with pytest.raises(errors.ConfigurationError, match="no token"):
        InProcess(app).__enter__()


@pytest.mark.parametrize("token", ["two words", "ümlaut", "line\nbreak"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        Client(token=token)
    assert token not in str(caught.value)
