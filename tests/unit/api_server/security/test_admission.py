"""The one gate: what a token allows, where, and how often."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from somafractalmemory.adapters.local import LocalLimiter
from somafractalmemory.errors import Forbidden, InvalidRequest, RateLimited, Unauthenticated
from somafractalmemory.security.admission import Admission, Admitted
from somafractalmemory.security.callers import Scope
from somafractalmemory.security.tokenfile import line_of, new_token
from somafractalmemory.security.tokens import Tokens

EVERYTHING = "Bearer everything"


class Gate:
    """A gate that knows a token for everything, and one with a name, scopes and namespaces."""

    def __init__(
        self, folder: Path, *, limit: int | None = None, scopes: Sequence[Scope] = (Scope.READ,), default: str = "home"
    ) -> None:
        token, entry = new_token(name="reader", scopes=scopes, namespaces=["chat", "shared"])
        file = folder / "tokens.yaml"
        file.write_text(f"tokens:\n{line_of(entry)}\n")
        self.reader = f"Bearer {token}"
        self._admission = Admission(
            tokens=Tokens(text="everything", structured_file=file),
            limiter=LocalLimiter(limit=limit, window_seconds=60) if limit else None,
            default_namespace=default,
        )

    async def admit(
        self,
        authorization: str | None,
        namespace: str | None = None,
        needs: Scope = Scope.READ,
        operation: str = "/recall",
    ) -> Admitted:
        """As a face asks."""
        return await self._admission.admit(
            authorization=authorization, namespace=namespace, operation=operation, needs=needs
        )


async def test_a_plain_token_may_do_everything_everywhere(tmp_path: Path) -> None:
    gate = Gate(tmp_path)

    for scope in Scope:
        assert (await gate.admit(EVERYTHING, "anywhere", needs=scope)).namespace == "anywhere"
    assert (await gate.admit(EVERYTHING)).namespace == "home"


async def test_a_token_with_namespaces_works_in_its_first_unless_it_names_another_of_them(tmp_path: Path) -> None:
    gate = Gate(tmp_path)

    assert (await gate.admit(gate.reader)).namespace == "chat"
    assert (await gate.admit(gate.reader, "shared")).namespace == "shared"
    with pytest.raises(Forbidden, match="not for that namespace"):
        await gate.admit(gate.reader, "home")


async def test_a_namespace_is_compared_whole_and_never_as_a_pattern(tmp_path: Path) -> None:
    gate = Gate(tmp_path)

    for wrong in ("chat2", "cha", "CHAT", "chat.", "shared:1"):
        with pytest.raises(Forbidden):
            await gate.admit(gate.reader, wrong)
    for malformed in ("", "*", "%", "chat,shared", "chat'--", "chat\x00"):
        with pytest.raises(InvalidRequest):
            await gate.admit(gate.reader, malformed)


@pytest.mark.parametrize("allowed", list(Scope))
async def test_no_scope_implies_another(tmp_path: Path, allowed: Scope) -> None:
    gate = Gate(tmp_path, scopes=[allowed])

    assert (await gate.admit(gate.reader, needs=allowed)).caller.name == "reader"
    for other in set(Scope) - {allowed}:
        with pytest.raises(Forbidden, match=other.value):
            await gate.admit(gate.reader, needs=other)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic everything", "everything"])
async def test_without_a_bearer_token_nobody_is_known(tmp_path: Path, header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        await Gate(tmp_path).admit(header)


async def test_the_word_bearer_may_be_written_in_any_case(tmp_path: Path) -> None:
    assert await Gate(tmp_path).admit("bearer everything")


async def test_budgets_are_counted_by_token_and_operation(tmp_path: Path) -> None:
    gate = Gate(tmp_path, limit=1)

    await gate.admit(EVERYTHING)
    await gate.admit(gate.reader)
    await gate.admit(EVERYTHING, operation="/store")
    with pytest.raises(RateLimited) as raised:
        await gate.admit(EVERYTHING)

    assert raised.value.retry_after_seconds is not None
    assert 0 < raised.value.retry_after_seconds <= 60


async def test_a_wrong_token_spends_nobodys_budget(tmp_path: Path) -> None:
    gate = Gate(tmp_path, limit=1)

    for _ in range(3):
        with pytest.raises(Forbidden, match="Invalid token"):
            await gate.admit("Bearer guessed")

    assert await gate.admit(EVERYTHING)
