"""Whether certificates and keys that come from elsewhere hang together, and until when they will do."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from provisioner.talos.pki.bundle import KeyPair
from provisioner.talos.pki.flaw import Flaw, Path
from provisioner.talos.pki.keys import PrivateKey, from_pem


def vet_pair(pair: KeyPair, now: datetime, crt: Path, key: Path) -> None:
    """Raises Flaw where this is no authority, or not with this key, or not any more."""
    certificate = _certificate(pair.crt, crt)
    private = vet_key(pair.key, key)
    if private.public_key() != certificate.public_key():
        raise Flaw(key, "this key does not belong to the certificate beside it", "copy both from the same place")
    if not _is_authority(certificate):
        raise Flaw(crt, "this certificate is not one of an authority", "use the authority's own, not one it signed")
    if now >= certificate.not_valid_after_utc:
        until = certificate.not_valid_after_utc.date().isoformat()
        raise Flaw(crt, f"this authority ended on {until}", "rotate it before its secrets are taken over")


def vet_key(text: str, path: Path) -> PrivateKey:
    """The key, whose kind may be any that Talos has; raises Flaw for a text that is none."""
    try:
        return from_pem(text)
    except (ValueError, TypeError):
        raise Flaw(path, "this is no private key in PEM", "copy it whole, with its first and last line") from None


def valid_until(certificate: str) -> datetime:
    """When a certificate, a PEM text, ends; raises ValueError for a text that is none."""
    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc


def fingerprint(certificate: str) -> str:
    """SHA-256 of a certificate, as tools print it but for the colons; raises ValueError for a text that is none."""
    return x509.load_pem_x509_certificate(certificate.encode()).fingerprint(SHA256()).hex()


def half_of_life(certificate: str) -> datetime:
    """The middle of a certificate's validity, after which it is time for another one."""
    read = x509.load_pem_x509_certificate(certificate.encode())
    return read.not_valid_before_utc + (read.not_valid_after_utc - read.not_valid_before_utc) / 2


def _certificate(text: str, path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        raise Flaw(path, "this is no certificate in PEM", "copy it whole, with its first and last line") from None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
