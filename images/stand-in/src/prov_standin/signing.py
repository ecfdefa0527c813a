"""Certificates across the network: a worker asks with a request, a control plane answers with a certificate."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from prov_sim.machine.certificates import Authority, Issued, PublicKey, san, sign


@frozen(repr=False)
class Request:
    """A request for certain names, with the key that never leaves the machine."""

    names: tuple[str, ...]
    key: ed25519.Ed25519PrivateKey
    pem: str

    @staticmethod
    def of(names: Sequence[str]) -> Request:
        """A fresh one."""
        key = ed25519.Ed25519PrivateKey.generate()
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        builder = builder.add_extension(
            x509.SubjectAlternativeName([san(name) for name in dict.fromkeys(names)]), critical=False
        )
        return Request(tuple(names), key, builder.sign(key, None).public_bytes(serialization.Encoding.PEM).decode())

    def issued(self, certificate: str, clients: Sequence[str]) -> Issued | None:
        """The certificate with its key, if it answers this request and is of one of `clients`."""
        try:
            loaded = x509.load_pem_x509_certificate(certificate.encode())
            loaded.verify_directly_issued_by(x509.load_pem_x509_certificate(clients[0].encode()))
        except Exception:  # whatever is wrong with it, it is not ours
            return None
        if loaded.public_key() != self.key.public_key():
            return None
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Issued(certificate, key.decode(), tuple(clients))


def answer(authority: Authority, request: str) -> str:
    """A certificate for a request, PEM; raises ValueError where the request is none or not signed by its key."""
    loaded = x509.load_pem_x509_csr(request.encode())
    if not loaded.is_signature_valid:
        raise ValueError("the request is not signed by its key")
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    key = loaded.public_key()
    if not isinstance(key, PublicKey):
        raise ValueError("the request has an algorithm Talos does not use")
    certificate = sign(authority, x509.Name([]), key, [str(name.value) for name in names])
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
