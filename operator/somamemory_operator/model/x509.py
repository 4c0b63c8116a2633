"""What certificates say: until when, for which names, by whom they are signed (RFC 5280). All in PEM."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_LONGEST_CHAIN = 8


class Pair(NamedTuple):
    """A certificate with those that lead to its authority, the own one first, and its private key."""

    chain: str
    key: str

    def __repr__(self) -> str:
        return "Pair(...)"


class UnusableError(ValueError):
    """A certificate that cannot be used; the text says why, in words that go on from "it"."""


@dataclass(frozen=True)
class Facts:
    """What is known about a pair."""

    chain: tuple[x509.Certificate, ...]
    names: frozenset[str]

    @property
    def begins(self) -> datetime:
        return self.chain[0].not_valid_before_utc

    @property
    def ends(self) -> datetime:
        return self.chain[0].not_valid_after_utc

    def leads_to(self, authorities: Sequence[x509.Certificate]) -> bool:
        """Whether one of the authorities signed it, perhaps by way of others in the chain."""
        current = self.chain[0]
        for _ in range(_LONGEST_CHAIN):
            if any(_signed(current, authority) for authority in authorities):
                return True
            above = next((each for each in self.chain if each is not current and _signed(current, each)), None)
            if above is None:
                return False
            current = above
        return False

    def lacks(self, wanted: Iterable[str]) -> list[str]:
        """The names that it is not for; a star stands for one part of a host name, and case does not count."""
        return [name for name in wanted if not _forms(name) & self.names]


def _forms(name: str) -> set[str]:
    """How a certificate may say a name: as it is, or with a star for its first part."""
    plain = normal(name)
    return {plain} if _is_address(plain) or "." not in plain else {plain, f"*.{plain.partition('.')[2]}"}


def normal(name: str) -> str:
    """A host name or address in the one form in which names are compared."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name.lower()


def facts(pair: Pair) -> Facts:
    """Raises UnusableError for what is no certificate with its key."""
    chain = certificates_in(pair.chain)
    if not chain:
        raise UnusableError("has no certificate in PEM under tls.crt")
    try:
        key = serialization.load_pem_private_key(pair.key.encode(), None)
    except (ValueError, TypeError):
        raise UnusableError("has no private key in PEM, without a password, under tls.key") from None
    public = (
        each.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for each in (
            key.public_key(),
            chain[0].public_key(),
        )
    )
    if len(set(public)) != 1:
        raise UnusableError("has a private key that is not the certificate's")
    return Facts(tuple(chain), frozenset(_names(chain[0])))


def certificates_in(pem: str) -> list[x509.Certificate]:
    """All of them; none when the text is no PEM."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []


def pem_of(certificates: Iterable[x509.Certificate]) -> str:
    """As they stand in a file, each once."""
    return "".join(dict.fromkeys(each.public_bytes(Encoding.PEM).decode() for each in certificates))


def fingerprint(certificate: x509.Certificate) -> str:
    """What tells it from all others."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def as_pkcs8(key: str) -> str:
    """The private key in the one format that every server reads. Raises UnusableError."""
    try:
        loaded = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        raise UnusableError("has no private key in PEM, without a password, under tls.key") from None
    made = loaded.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.decode()


def _names(certificate: x509.Certificate) -> Iterable[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    yield from map(normal, found.get_values_for_type(x509.DNSName))
    yield from map(str, found.get_values_for_type(x509.IPAddress))


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    if certificate == by:
        return True
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
