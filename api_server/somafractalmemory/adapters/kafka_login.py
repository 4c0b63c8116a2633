"""Logging in at Kafka with a user and a password that may just be changing."""

from typing import Any

from somafractalmemory.settings import Settings
from somafractalmemory.settings.clients import kafka_login, password_of
from somafractalmemory.settings.passwords import Password


class Login:
    """What one client shows the brokers. Refused, it shows the other login that may be valid, by turns.

    librdkafka connects again by itself, with what it was given last; connections that are there go on. Without SASL, or
    with tokens, which it gets itself, nothing is done.
    """

    def __init__(self, settings: Settings) -> None:
        by_password = settings.kafka_security_protocol.startswith("SASL")
        by_password &= settings.kafka_sasl_mechanism != "OAUTHBEARER"
        self._settings = settings
        self._password: Password | None = password_of(settings, "kafka") if by_password else None
        self._shown = ""

    @property
    def choices(self) -> int:
        """How many logins may be valid."""
        return len(self._password.candidates()) if self._password is not None else 1

    def options(self) -> dict[str, str]:
        """librdkafka's options for a new client."""
        if self._password is None:
            return {}
        self._shown = self._password.candidates()[0]
        user, password = kafka_login(self._settings, self._shown)
        return {"sasl.username": user, "sasl.password": password}

    def refused(self, client: Any) -> bool:
        """Have the client show another login from now on; whether there is one."""
        if self._password is None or (following := self._password.after(self._shown)) is None:
            return False
        self._shown = following
        client.set_sasl_credentials(*kafka_login(self._settings, following))
        return True

    def accepted(self) -> None:
        """Note that the brokers have let the client in."""
        if self._password is not None and self._shown:
            self._password.taken(self._shown)
