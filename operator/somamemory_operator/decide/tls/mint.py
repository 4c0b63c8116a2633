"""An authority of the operator's own, and what it signs: keys on the curve P-256, certificates of RFC 5280."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from somamemory_operator.model.x509 import Pair, certificates_in

AUTHORITY_LIFE = timedelta(days=3650)
"""How long an authority lasts."""
_SKEW = timedelta(minutes=5)
"""Clocks of other machines may be behind by this much; of a short life it is a small part."""


class Mint(Protocol):
    """Makes keys and certificates."""

    def authority(self, name: str) -> Pair:
        """A new authority."""

    def sign(self, authority: Pair, name: str, hosts: Sequence[str], life: timedelta) -> Pair:
        """A certificate for these host names and addresses, with a key of its own."""


class X509Mint:
    """The real one: random keys, and the clock of the machine unless another is given."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock

    def authority(self, name: str) -> Pair:
        """Signed by itself; may sign servers, and no further authorities."""
        key, subject, now = _key(), _named(name), self._clock()
        usage = _usage(key_cert_sign=True, crl_sign=True)
        made = _builder(subject, subject, key, now, now + AUTHORITY_LIFE)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        made = made.add_extension(usage, critical=True)
        return _pair(made.sign(key, hashes.SHA256()), key)

    def sign(self, authority: Pair, name: str, hosts: Sequence[str], life: timedelta) -> Pair:
        """For servers only."""
        issuer = certificates_in(authority.chain)[0]
        signing = serialization.load_pem_private_key(authority.key.encode(), None)
        if not isinstance(signing, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority's key is none of ours")
        key, now = _key(), self._clock()
        made = _builder(_named(name), issuer.subject, key, now, now + life)
        made = made.add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), critical=False)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(_usage(digital_signature=True), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
        return _pair(made.add_extension(above, critical=False).sign(signing, hashes.SHA256()), key)


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])  # as long as RFC 5280 allows


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_after(ends)
    builder = builder.not_valid_before(now - min(_SKEW, (ends - now) / 20))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())
