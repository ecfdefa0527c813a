"""Certificates of BMCs: good ones, and each kind of bad one."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@define
class Authority:
    """One that signs certificates; its files go into a folder."""

    folder: Path
    name: str = "rack"
    _key: ec.EllipticCurvePrivateKey = field(init=False)
    _own: x509.Certificate = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._own = self._signed(self.name, self._key, 365 * _DAY, "", authority=True)
        self.file.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    @property
    def file(self) -> Path:
        """What a user names as `ca`."""
        return self.folder / f"{self.name}.pem"

    def server(self, *, address: str = "127.0.0.1", ends: timedelta = 30 * _DAY) -> tuple[ssl.SSLContext, str]:
        """What a BMC with a certificate for an address serves with, and the SHA-256 of that in hexadecimal digits.

        `ends` counts from now; a negative one has expired.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._signed("bmc", key, ends, address, authority=False)
        both = self.folder / f"bmc-{leaf.serial_number}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        both.write_bytes(secret + leaf.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context, leaf.fingerprint(hashes.SHA256()).hex()

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, ends: timedelta, address: str, *, authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 60 * _DAY)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if address:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())
