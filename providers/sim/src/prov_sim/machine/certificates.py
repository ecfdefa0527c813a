"""Certificates as Talos machines make and check them."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import ipaddress
import os
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey: TypeAlias = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey

MAINTENANCE_NAME = "maintenance-service.talos.dev"

_LIFETIME = timedelta(days=365)
_SKEW = timedelta(minutes=1)
_NOBODY = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "talos")])


class BadCertificate(ValueError):
    """What should have been a certificate or key is none; the text says why, never what it holds."""


@frozen(repr=False)
class Authority:
    """A certificate that signs; `key` is None where only the certificate is known."""

    certificate: x509.Certificate
    key: PrivateKey | None

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


@frozen(repr=False)
class Issued:
    """A server certificate with its key, PEM, and what its clients have to be signed by (empty: anybody)."""

    certificate: str
    key: str
    clients: tuple[str, ...] = ()


def decode_pem(text: object) -> str:
    """The PEM text inside base64, as `ca.crt` and `ca.key` of v1alpha1 hold it."""
    try:
        return base64.b64decode(str(text), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise BadCertificate("is not base64 of PEM") from None


def load_certificate(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise BadCertificate("is not a certificate") from None


def load_key(pem: str) -> PrivateKey:
    """A private key; Talos labels Ed25519 keys in a way of its own, which OpenSSL does not know."""
    try:
        key = serialization.load_pem_private_key(pem.replace("ED25519 PRIVATE KEY", "PRIVATE KEY").encode(), None)
    except (ValueError, TypeError):
        raise BadCertificate("is not a private key") from None
    if not isinstance(key, PrivateKey):
        raise BadCertificate("has an algorithm Talos does not use")
    return key


def load_authority(certificate: object, key: object) -> Authority:
    """A CA as the configuration holds it; an empty key gives one that cannot sign."""
    return _authority(str(certificate), str(key or ""))


@functools.lru_cache(maxsize=64)  # all machines of a cluster name the same few
def _authority(certificate: str, key: str) -> Authority:
    loaded = load_certificate(decode_pem(certificate))
    if not key:
        return Authority(loaded, None)
    signer = load_key(decode_pem(key))
    if signer.public_key() != loaded.public_key():
        raise BadCertificate("does not belong to the certificate")
    return Authority(loaded, signer)


def issue(
    authority: Authority, names: Iterable[str], *, organization: str = "", clients: Iterable[str] = ()
) -> Issued:
    """A server certificate for addresses and names, with a key of the authority's own algorithm."""
    if authority.key is None:
        raise BadCertificate("cannot sign without its key")
    key: PrivateKey
    if isinstance(authority.key, ed25519.Ed25519PrivateKey):
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    certificate = sign(authority, x509.Name(subject), key.public_key(), names)
    return Issued(_pem(certificate), _key_pem(key), tuple(clients))


def maintenance() -> Issued:
    """The certificate of a machine without configuration, from a CA that nobody keeps."""
    signer, key = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, MAINTENANCE_NAME)])
    return Issued(_pem(_sign(None, signer, subject, key.public_key(), [MAINTENANCE_NAME])), _key_pem(key))


def fingerprint(issued: Issued) -> str:
    """The fingerprint of its key as Talos prints it: base64 of the SHA-256 of the SubjectPublicKeyInfo."""
    info = (
        load_certificate(issued.certificate)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(hashlib.sha256(info).digest()).decode()


def sign(authority: Authority, subject: x509.Name, key: PublicKey, names: Iterable[str]) -> x509.Certificate:
    """A server certificate for somebody's key; raises BadCertificate where the authority cannot sign."""
    if authority.key is None:
        raise BadCertificate("cannot sign without its key")
    return _sign(authority.certificate, authority.key, subject, key, names)


def server_context(issued: Issued, *, required: bool, protocols: tuple[str, ...]) -> ssl.SSLContext:
    """TLS for a server. Clients show a certificate of one of `issued.clients`, if there are any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(protocols))
    load(context, issued)
    if issued.clients:
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata="\n".join(issued.clients))
    return context


def load(context: ssl.SSLContext, issued: Issued) -> None:
    """Lets `context` present another certificate from the next handshake on."""
    # The ssl module reads certificates from files only; this one never touches a disk.
    handle = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(handle, (issued.certificate + issued.key).encode())
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


@functools.lru_cache(maxsize=64)  # whoever manages a cluster shows one certificate to all machines
def only_for_clients(der: bytes) -> bool:
    """Whether a certificate is for TLS clients and nothing else, which apid insists on."""
    try:
        usage = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (ValueError, x509.ExtensionNotFound):
        return False
    return list(usage.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def _sign(
    issuer: x509.Certificate | None, signer: PrivateKey, subject: x509.Name, key: PublicKey, names: Iterable[str]
) -> x509.Certificate:
    """A certificate of `signer`, whose own certificate nobody will ever see where `issuer` is None."""
    now = datetime.now(UTC)
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        x509.CertificateBuilder()
        .issuer_name(issuer.subject if issuer is not None else _NOBODY)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([san(name) for name in dict.fromkeys(names)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    )
    if issuer is not None and (key_id := _key_id(issuer)) is not None:
        # CAs of one cluster share their subject while they are rotated; this tells them apart.
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False
        )
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, algorithm)


def _key_id(issuer: x509.Certificate) -> x509.SubjectKeyIdentifier | None:
    try:
        return issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return None


def san(name: str) -> x509.GeneralName:
    """A name or an address as certificates hold it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
