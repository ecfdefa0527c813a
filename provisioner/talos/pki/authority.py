"""Certificate authorities as Talos makes them.

Source: siderolabs/crypto, `x509.NewSelfSignedCertificateAuthority`, as called by Talos v1.13's secrets bundle.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioner.talos.pki.bundle import KeyPair
from provisioner.talos.pki.keys import PrivateKey, digest_for, to_pem
from provisioner.talos.pki.usage import key_usage

VALIDITY = timedelta(hours=87600)
"""Ten years of 365 days, counted in hours as Talos does."""


def authority(organization: str, key: PrivateKey, *, now: datetime, random: Callable[[int], bytes]) -> KeyPair:
    """A self-signed authority over `key`, valid from `now`.

    The subject is `O=organization`, empty when that is the empty text. `random(n)` gives n random bytes:
    sixteen for the serial number, then twenty for the subject key identifier, which is no hash of the key.
    """
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    name = x509.Name(parts)
    start = now.replace(microsecond=0)
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(random(16), "big") or 1)  # zero is no serial number
        .not_valid_before(start)
        .not_valid_after(start + VALIDITY)
        .add_extension(key_usage(digital_signature=True, key_cert_sign=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier(random(20)), critical=False)
    )
    certificate = builder.sign(key, digest_for(key))
    return KeyPair(crt=certificate.public_bytes(Encoding.PEM).decode(), key=to_pem(key))
