"""What certificates say: until when, for which names, by whom they are signed (RFC 5280). All in PEM."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

_LONGEST_CHAIN = 8
_KEPT = 256
"""Pairs that are not read again in each look: to read one of RSA takes 30 ms of processor, and a look asks for 24."""


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

    def is_rooted_in(self, authorities: Sequence[x509.Certificate]) -> bool:
        """Whether its chain ends at one of them that signed itself: OpenSSL trusts no other as an end."""
        current, known = self.chain[0], (*self.chain, *authorities)
        for _ in range(_LONGEST_CHAIN):
            if current in authorities and _signed_itself(current):
                return True
            above = next((each for each in known if each != current and _signed(current, each)), None)
            if above is None:
                return False
            current = above
        return False

    @property
    def is_for_servers(self) -> bool:
        """Whether it may be shown by a server; one that says nothing about its use may."""
        try:
            usage = self.chain[0].extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            return True
        return ExtendedKeyUsageOID.SERVER_AUTH in usage

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


@lru_cache(maxsize=_KEPT)
def facts(pair: Pair) -> Facts:
    """Raises UnusableError for what is no certificate with its key, or one that not every server can show."""
    chain = certificates_in(pair.chain)
    if not chain:
        raise UnusableError("has no certificate in PEM under tls.crt")
    key = _key(pair.key)
    try:
        public = {_public(key.public_key()), _public(chain[0].public_key())}
        names = frozenset(_names(chain[0]))
    except _UNREADABLE as error:
        raise UnusableError(f"cannot be read ({type(error).__name__})") from None
    if len(public) != 1:
        raise UnusableError("has a private key that is not the certificate's")
    return Facts(tuple(chain), names)


_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension)


def _key(pem: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except _UNREADABLE:
        raise UnusableError("has no private key in PEM, without a password, under tls.key") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UnusableError("has a key that is neither RSA nor of an elliptic curve, which Kafka cannot use")
    return key


def _public(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


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


@lru_cache(maxsize=_KEPT)
def as_pkcs8(key: str) -> str:
    """The private key in the one format that every server reads. Raises UnusableError."""
    loaded = _key(key)
    made = loaded.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.decode()


def _names(certificate: x509.Certificate) -> Iterable[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    yield from map(normal, found.get_values_for_type(x509.DNSName))
    yield from map(str, found.get_values_for_type(x509.IPAddress))


def _signed_itself(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (*_UNREADABLE, InvalidSignature):
        return False
    return True


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    if certificate == by:
        return True
    try:
        certificate.verify_directly_issued_by(by)
    except (*_UNREADABLE, InvalidSignature):
        return False
    return True


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
