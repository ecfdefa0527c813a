"""Private keys as Talos writes them.

The randomness of key generation is the crypto library's own: it cannot be handed in.

Talos labels PEM blocks by algorithm. `EC PRIVATE KEY` (SEC1) and `RSA PRIVATE KEY` (PKCS#1) are the usual
ones; `ED25519 PRIVATE KEY` around PKCS#8 is its own, which OpenSSL and its Python bindings refuse, so keys
are relabelled on their way in and out. Source: siderolabs/crypto, `x509/constants.go`.
"""

from __future__ import annotations

from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey

_TALOS_LABEL = "ED25519 PRIVATE KEY-----"
_COMMON_LABEL = "PRIVATE KEY-----"


def ed25519() -> Ed25519PrivateKey:
    """A new Ed25519 key, the algorithm of the Talos authority."""
    return Ed25519PrivateKey.generate()


def ecdsa_p256() -> EllipticCurvePrivateKey:
    """A new ECDSA key on P-256, the algorithm of the Kubernetes and etcd authorities."""
    return generate_private_key(SECP256R1())


def rsa_4096() -> RSAPrivateKey:
    """A new RSA key of 4096 bits, for service-account tokens; takes a second or so."""
    return generate_rsa(public_exponent=65537, key_size=4096)


def like(key: PrivateKey) -> PrivateKey:
    """A new key of the same algorithm: clients follow the algorithm of their authority."""
    match key:
        case Ed25519PrivateKey():
            return ed25519()
        case EllipticCurvePrivateKey():
            return ecdsa_p256()
        case _:
            return rsa_4096()


def digest_for(key: PrivateKey) -> SHA256 | None:
    """What to hash with when this key signs; Ed25519 hashes by itself."""
    return None if isinstance(key, Ed25519PrivateKey) else SHA256()


def to_pem(key: PrivateKey) -> str:
    """The key as PEM with Talos's label."""
    if isinstance(key, Ed25519PrivateKey):
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return text.replace(_COMMON_LABEL, _TALOS_LABEL)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def from_pem(text: str) -> PrivateKey:
    """Reads a key under Talos's label or the common one.

    Raises ValueError for anything else; the text never enters the message.
    """
    key = load_pem_private_key(common_label(text).encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey):
        raise ValueError("the private key is neither Ed25519 nor ECDSA nor RSA")
    return key


def common_label(text: str) -> str:
    """The same PEM text as OpenSSL and Python's `ssl` read it."""
    return text.replace(_TALOS_LABEL, _COMMON_LABEL)
