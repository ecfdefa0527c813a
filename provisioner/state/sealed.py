"""Secret leaves, sealed with a data key that is itself wrapped to age recipients.

Each state has a data key of its own (AES-256-GCM). The key lies in the state, encrypted to one or more age
recipients; who holds the identity of one of them can open it. A sealed leaf is bound to its state and entry,
so it opens nowhere else. Plan files are sealed with the same data key, which is not in them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from provisioner.errors import KeyMissing, StateError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


@frozen
class Wrapped:
    """A data key as it is stored: `text` is age ciphertext in base64, `recipients` who may open it."""

    text: str
    recipients: tuple[str, ...]


@frozen
class Identity:
    """An age identity and where it came from, for messages."""

    text: str
    source: str

    def __repr__(self) -> str:
        return f"Identity(*** from {self.source})"

    def recipient(self) -> str:
        """The public half."""
        return str(secret_key(self).to_public())


class Vault:
    """Seals and opens with one data key; opens the key itself only when a secret is met."""

    def __init__(self, wrapped: Wrapped, identity: Callable[[], Identity], lineage: str) -> None:
        self.wrapped = wrapped
        self._identity = identity
        self.lineage = lineage
        self._key = b""
        self._cipher: AESGCM | None = None

    def close(self, plain: str, bound: str) -> str:
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._opened().encrypt(nonce, plain.encode(), self._context(bound))
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, bound: str) -> str:
        from cryptography.exceptions import InvalidTag

        cipher = self._opened()
        try:
            raw = base64.b64decode(sealed)
            return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], self._context(bound)).decode()
        except (InvalidTag, ValueError):  # ValueError: not even long enough to be sealed
            raise StateError(
                "a sealed value does not open",
                detail="it was altered, or copied from another state or entry",
                remedy="restore the state from a backup",
            ) from None

    def derive(self, purpose: str) -> str:
        """64 hexadecimal digits that follow from the data key, the state and the purpose, and tell none of them."""
        bound = f"prov derive|{self.lineage}|{purpose}"
        return hmac.new(self._data_key(), bound.encode(), hashlib.sha256).hexdigest()

    def _context(self, bound: str) -> bytes:
        return f"{self.lineage}|{bound}".encode()

    def _opened(self) -> AESGCM:
        if self._cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._cipher = AESGCM(self._data_key())
        return self._cipher

    def _data_key(self) -> bytes:
        if not self._key:
            self._key = unwrap(self.wrapped, self._identity())
        return self._key


class Shut:
    """Opens nothing, for those who look at a state without an identity."""

    def close(self, plain: str, bound: str) -> str:
        raise AssertionError("nobody writes a state that was read without an identity")

    def open(self, sealed: str, bound: str) -> None:
        return None


def new_data_key(recipients: Sequence[str]) -> Wrapped:
    """A fresh data key for the given recipients; raises KeyMissing for what is none."""
    return _wrap(secrets.token_bytes(32), recipients)


def wrapped_anew(wrapped: Wrapped, identity: Identity, recipients: Sequence[str]) -> Wrapped:
    """The same data key for other recipients; raises KeyMissing like `unwrap`."""
    return _wrap(unwrap(wrapped, identity), recipients)


def _wrap(data_key: bytes, recipients: Sequence[str]) -> Wrapped:
    import pyrage

    sealed = pyrage.encrypt(data_key, [recipient_of(text) for text in recipients])
    return Wrapped(base64.b64encode(sealed).decode(), tuple(recipients))


def recipient_of(text: str) -> Any:
    """A recipient in pyrage's form; raises KeyMissing."""
    import pyrage

    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise KeyMissing(
            "this is not an age recipient",
            detail=f"one begins with age1 and is the public half of an identity; given was {_named(text)}",
            remedy="`prov keys show` prints the recipient of the identity in use",
        ) from None


def _named(text: str) -> str:
    """A text given as recipient, as an error may show it: never an identity given by mistake."""
    return repr(text) if text.startswith("age1") else "something else"


def unwrap(wrapped: Wrapped, identity: Identity) -> bytes:
    """The data key; raises KeyMissing when the identity is not among the recipients."""
    import pyrage

    key = secret_key(identity)
    try:
        return bytes(pyrage.decrypt(base64.b64decode(wrapped.text), [key]))
    except (pyrage.DecryptError, ValueError):
        raise KeyMissing(
            "this age identity does not open the state",
            detail=f"the one from {identity.source} is not among the recipients: {', '.join(wrapped.recipients)}",
            remedy="point PROV_AGE_KEY_FILE to the identity of one of them, or have yours added with `prov keys add`",
        ) from None


def new_identity() -> str:
    """The text of a new age identity."""
    import pyrage

    return str(pyrage.x25519.Identity.generate())


def secret_key(identity: Identity):  # type: ignore[no-untyped-def]
    """An identity in pyrage's form; raises KeyMissing."""
    import pyrage

    line = next((line for line in identity.text.split() if line.startswith("AGE-SECRET-KEY-")), "")
    try:
        return pyrage.x25519.Identity.from_str(line)
    except pyrage.IdentityError:
        raise KeyMissing(
            "this is not an age identity",
            detail=f"{identity.source} holds no line that begins with AGE-SECRET-KEY-",
            remedy="make one with `prov keys create`, or point PROV_AGE_KEY_FILE to yours",
        ) from None
