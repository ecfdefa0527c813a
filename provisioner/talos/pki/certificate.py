"""Client certificates signed by a cluster's authorities.

Serial numbers and keys come from the crypto library's own randomness. Each call makes a new certificate, so
the results are never compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioner.sdk import ProvError
from provisioner.talos.pki.bundle import KeyPair
from provisioner.talos.pki.keys import digest_for, from_pem, like, to_pem
from provisioner.talos.pki.roles import ADMIN
from provisioner.talos.pki.usage import key_usage

SKEW = timedelta(seconds=10)
"""How far back validity starts, for nodes whose clock runs behind; what Talos's kubeconfig generator uses."""


class AuthorityEnded(ProvError):
    """An authority whose validity is over; nothing it signs is accepted any more."""

    code = "authority-ended"


def talos_client(ca: KeyPair, roles: Iterable[str], *, now: datetime, ttl: timedelta) -> KeyPair:
    """A client of the Talos API: one `O=` per role in its subject and nothing more, client authentication only.

    apid refuses a certificate that may also serve. `ca` is the `os` authority; the certificate ends with it at
    the latest. Raises AuthorityEnded, and ValueError when the PEM texts cannot be read.
    """
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, role) for role in sorted(set(roles))]
    subject = x509.Name([x509.RelativeDistinguishedName(names)])  # all in one, as Talos writes them
    return _issue(ca, subject, key_usage(digital_signature=True), now=now, ttl=ttl)


def talos_admin(ca: KeyPair, *, now: datetime, ttl: timedelta) -> KeyPair:
    """An administrator of the Talos API: `talos_client` with that one role."""
    return talos_client(ca, (ADMIN,), now=now, ttl=ttl)


def kubernetes_admin(ca: KeyPair, *, now: datetime, ttl: timedelta) -> KeyPair:
    """An administrator of Kubernetes: subject `O=system:masters, CN=admin`.

    `ca` is the `k8s` authority. Raises ValueError when its PEM texts cannot be read.
    """
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.COMMON_NAME, "admin"),
        ]
    )
    return _issue(ca, subject, key_usage(digital_signature=True, key_encipherment=True), now=now, ttl=ttl)


def _issue(
    ca: KeyPair,
    subject: x509.Name,
    usage: x509.KeyUsage,
    *,
    now: datetime,
    ttl: timedelta,
) -> KeyPair:
    issuer, signer = x509.load_pem_x509_certificate(ca.crt.encode()), from_pem(ca.key)
    issuer_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    key = like(signer)
    start = now.replace(microsecond=0)
    end = min(start + ttl, issuer.not_valid_after_utc)
    if start >= end:
        raise AuthorityEnded(
            "an authority of the cluster has ended",
            detail=f"{issuer.subject.rfc4514_string() or 'the aggregator'} was valid until {end.date().isoformat()}",
            remedy="nothing it signs is accepted any more; the cluster needs new authorities",
        )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - SKEW)
        .not_valid_after(end)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False)
    )
    certificate = builder.sign(signer, digest_for(signer))
    return KeyPair(crt=certificate.public_bytes(Encoding.PEM).decode(), key=to_pem(key))
