"""HTTPS for the boot service: with a certificate that somebody else has made."""

from __future__ import annotations

import ssl

from attrs import frozen

from provisioner.sdk import OperatorNeeded


@frozen
class Tls:
    """Files in PEM: the certificate with those between it and its authority, and its key."""

    cert: str
    key: str


def context(tls: Tls | None) -> ssl.SSLContext | None:
    """What connections are wrapped with; raises OperatorNeeded."""
    if tls is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        made.load_cert_chain(tls.cert, tls.key)
    except OSError as err:
        raise OperatorNeeded(
            "the certificate to serve with cannot be used",
            detail=f"{tls.cert}, {tls.key}: {err.strerror or type(err).__name__}",
            remedy="give the files of a certificate and its key in PEM as `serve_tls`",
        ) from None
    return made
