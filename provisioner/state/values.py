"""Single values sealed with age, for people to put into files: what `prov keys seal` makes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence

from provisioner.errors import KeyMissing
from provisioner.state.identity import find_identity
from provisioner.state.sealed import recipient_of, secret_key


def seal(text: str, recipients: Sequence[str]) -> str:
    """The text sealed for recipients, in base64 for URLs without padding; raises KeyMissing for what is none."""
    import pyrage

    sealed = pyrage.encrypt(text.encode(), [recipient_of(each) for each in recipients])
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unsealer(environ: Mapping[str, str]) -> Callable[[bytes], bytes]:
    """A function that opens what is sealed, in either form that age has; it looks for the identity when needed."""

    def unseal(sealed: bytes) -> bytes:
        import pyrage

        identity = find_identity(environ)
        if identity is None:
            raise KeyMissing(
                "there is no age identity to open sealed values with",
                remedy="set PROV_AGE_KEY or PROV_AGE_KEY_FILE to an identity it is sealed for",
            )
        try:
            return bytes(pyrage.decrypt(sealed, [secret_key(identity)]))
        except pyrage.DecryptError:
            raise KeyMissing(
                "this age identity does not open a sealed value",
                detail=f"the identity from {identity.source} does not open it",
                remedy="point PROV_AGE_KEY_FILE to the identity it is sealed for, or seal it anew",
            ) from None

    return unseal
