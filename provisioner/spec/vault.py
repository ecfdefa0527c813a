"""Secrets that a cluster file names and does not hold: texts of files, and texts that are sealed with age.

`${file["PATH"]}` is the text of a file beside the cluster file, without the line's end that editors put there; a file
that is sealed with age is opened. `${sealed["TEXT"]}` is a sealed text itself, in base64 for URLs. Which identity
opens them is for the caller to know.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from provisioner.errors import KeyMissing
from provisioner.spec.files import Folder
from provisioner.spec.references import ReferenceFault

Unseal = Callable[[bytes], bytes]
"""Opens what is sealed; raises KeyMissing."""

LONGEST = 64 * 1024
_SEALED = (b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----")


def unsealed_by_nobody(sealed: bytes) -> bytes:
    """For those who read a file that has nothing sealed in it."""
    raise KeyMissing("there is no age identity to open sealed values with", remedy="set PROV_AGE_KEY_FILE to one")


class Kept:
    """Satisfies `Vault`."""

    def __init__(self, folder: Folder, unseal: Unseal) -> None:
        self._folder = folder
        self._unseal = unseal

    def file(self, name: str) -> str:
        shown = self._folder.shown(name)
        try:
            data = self._folder.read(name)
        except (OSError, ValueError) as err:
            said = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
            raise ReferenceFault(
                "expression-file",
                "a file with a secret cannot be read",
                detail=f"{shown}: {said}",
                remedy="names of files are relative to the cluster file",
            ) from None
        if len(data) > LONGEST:
            raise ReferenceFault(
                "expression-file",
                "a file with a secret is too long",
                detail=f"{shown} has {len(data)} bytes; at most {LONGEST} are read",
                remedy="name the file that has the secret, and nothing else in it",
            )
        if data.startswith(_SEALED):
            data = self._opened(data, "expression-file", shown)
        text = self._text(data, "expression-file", shown)
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise ReferenceFault(
                "expression-file",
                "a file with a secret is empty",
                detail=shown,
                remedy="write the secret into it, on one line",
            )
        return text

    def sealed(self, text: str) -> str:
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if not data.startswith(_SEALED[0]):
            raise ReferenceFault(
                "expression-sealed",
                "a sealed value cannot be read",
                detail="it is not what `prov keys seal` prints",
                remedy="seal the value anew, and copy the whole line",
            )
        return self._text(self._opened(data, "expression-sealed", "the sealed value"), "expression-sealed", "it")

    def _opened(self, sealed: bytes, code: str, what: str) -> bytes:
        try:
            return self._unseal(sealed)
        except KeyMissing as err:
            raise ReferenceFault(
                code, "a sealed value cannot be opened", detail=f"{what}: {err.detail or err}", remedy=err.remedy
            ) from None

    def _text(self, data: bytes, code: str, what: str) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise ReferenceFault(
                code, "a secret is not UTF-8 text", detail=what, remedy="encode it, for example with base64"
            ) from None
