"""Connecting to Postgres with a password that may just be changing."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Self, TypeVar

import psycopg
from psycopg import sql

from somafractalmemory.settings.passwords import Password

RowT = TypeVar("RowT")


class LoginConnection(psycopg.AsyncConnection[RowT]):
    """Tries each password that may be valid. `password` is a text, a `Password`, or None.

    Where `refusals` are given, the words of the last refusal are left in there: a pool connects behind everybody's
    back, and tells only that there is no connection.
    """

    @classmethod
    async def connect(  # type: ignore[override]
        cls,
        conninfo: str = "",
        *,
        password: Password | str | None = None,
        refusals: deque[str] | None = None,
        **arguments: Any,
    ) -> Self:
        """Connect. Raises psycopg.OperationalError of the last attempt."""
        try:
            connection = await cls._connected(conninfo, password, arguments)
        except psycopg.OperationalError as error:
            if refusals is not None:
                refusals.append(_words(error))
            raise
        if refusals is not None:
            refusals.clear()
        return connection

    @classmethod
    async def _connected(cls, conninfo: str, password: Password | str | None, arguments: Mapping[str, Any]) -> Self:
        if not isinstance(password, Password):
            return await super().connect(conninfo, password=password, **arguments)
        refused: psycopg.OperationalError | None = None
        for candidate in password.attempts():
            try:
                connection = await super().connect(conninfo, password=candidate, **arguments)
            except psycopg.OperationalError as error:
                if not _asked_for_a_password(error):
                    raise
                refused = error
            else:
                password.taken(candidate)
                return connection
        raise refused or AssertionError("a password has a value")


def _words(error: psycopg.OperationalError) -> str:
    """The server's or libpq's own words: no password is ever in them."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rpartition("FATAL:")[2].strip() or lines[0]


async def take_newest(arguments: Mapping[str, Any], password: Password) -> bool:
    """Have the server take the newest of the passwords for our user; whether it had to be told.

    `arguments` are those of a connection, without the password. The new one is sent as a SCRAM verifier (RFC 5803), as
    libpq makes it, so that no log or view of the server holds it. Raises psycopg.Error.
    """
    newest = password.newest
    if await _takes(arguments, newest):
        return False
    login: LoginConnection[Any] = await LoginConnection.connect(**arguments, password=password)
    async with login as connection:
        user = connection.info.user
        verifier = connection.pgconn.encrypt_password(newest.encode(), user.encode(), b"scram-sha-256").decode()
        await connection.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(user), sql.Literal(verifier))
        )
    await (await LoginConnection.connect(**arguments, password=newest)).close()
    return True


async def _takes(arguments: Mapping[str, Any], password: str) -> bool:
    try:
        await (await LoginConnection.connect(**arguments, password=password)).close()
    except psycopg.OperationalError as error:
        if not _asked_for_a_password(error):
            raise
        return False
    return True


def _asked_for_a_password(error: psycopg.OperationalError) -> bool:
    """Whether the server had asked for one before it refused: libpq tells no SQLSTATE of a refused connection."""
    return error.pgconn is not None and bool(error.pgconn.used_password)
