"""PEM texts in and out of base64, the two forms in which configurations have certificates and keys."""

from __future__ import annotations

import base64
import binascii


def pem(encoded: str) -> str:
    """The PEM text of what the secrets bundle has; raises ValueError, quoting nothing, for anything else."""
    try:
        text = base64.b64decode(encoded, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if not text.startswith("-----BEGIN "):
        raise ValueError("there is no PEM text in base64")
    return text
