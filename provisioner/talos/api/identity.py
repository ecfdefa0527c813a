"""Who we are towards machines, as TLS settings.

Talos signs with Ed25519 by default. OpenSSL can do that, but it knows neither Talos's label for such keys nor
how to load a key from memory.
"""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from provisioner.talos.pki.keys import common_label


@frozen
class Identity:
    """A client certificate with its key, and the authority that signs the servers'; PEM texts."""

    ca: str
    crt: str
    key: str = field(repr=False)


def trusting_context(identity: Identity, *, alpn: str = "") -> ssl.SSLContext:
    """TLS with our certificate that accepts only servers of the identity's authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=identity.ca)
    with _file_of(identity.crt + "\n" + common_label(identity.key)) as path:
        context.load_cert_chain(path)
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def unverified_context(*, alpn: str = "") -> ssl.SSLContext:
    """TLS without any certificate, for machines in maintenance, which belong to nobody yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""


def pinned_context(certificate: bytes, *, alpn: str = "") -> ssl.SSLContext:
    """TLS that accepts this one server certificate, in DER, and no other: not even one that it signed.

    OpenSSL ends the handshake itself where the peer shows another one or cannot prove that it has its key, so
    nothing of ours is sent before it has. Names and dates do not matter: nobody vouches for either in maintenance,
    and the clock of a new machine may be years off.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    context.load_verify_locations(cadata=certificate)
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def key_of(certificate: bytes) -> str:
    """The fingerprint of a certificate's key as Talos prints it: base64 of the SHA-256 of its SubjectPublicKeyInfo.

    `certificate` is in DER; empty for what is none.
    """
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError:
        return ""
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(info).digest()).decode()


def signed_by(ca: str, certificate: bytes) -> bool:
    """Whether the authority `ca`, a PEM text, signed a certificate, in DER; names and dates do not matter."""
    try:
        theirs = x509.load_der_x509_certificate(certificate)
        theirs.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.encode()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


@contextmanager
def _file_of(text: str) -> Iterator[str]:
    """A path under which the text can be read for a moment: in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("prov-identity")
        try:
            os.write(fd, text.encode())
            yield f"/proc/self/fd/{fd}"
        finally:
            os.close(fd)
        return
    with tempfile.NamedTemporaryFile("w", prefix="prov-identity-") as file:  # 0600, and gone at the end
        file.write(text)
        file.flush()
        yield file.name
