"""What answers at the address of a node, told by the certificate that it shows, whoever has signed it."""

from __future__ import annotations

import socket
import ssl

from prov_metal.diagnosis.evidence import Shown

PORT = 50000
_OUT_OF_TIME = (9, 10)
"""OpenSSL's codes for a certificate that is not valid yet, and for one that is not any more."""
_MAINTENANCE = "maintenance-service.talos.dev"
"""The name in the certificate of a machine that waits for a configuration (Talos 1.9 to 1.14)."""


def shown(host: str, authority: str, *, timeout_s: float) -> Shown:
    """`authority` is the PEM text of the cluster's certificate. Two connections at most."""
    context = _context()
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, PORT), timeout_s) as plain:
            try:
                with context.wrap_socket(plain, server_hostname=host) as talk:
                    data = talk.getpeercert(binary_form=True)
            except (OSError, ValueError):
                return Shown("mute")
    except ConnectionRefusedError:
        return Shown("refused")
    except (OSError, ValueError):
        return Shown("silent")
    return _read(data or b"", node=_vouched(host, authority, timeout_s))


def _vouched(host: str, authority: str, timeout_s: float) -> bool:
    """Whether the cluster's authority stands behind what answers, whatever the time of day is there."""
    context = _context()
    try:
        context.load_verify_locations(cadata=authority)
        with socket.create_connection((host, PORT), timeout_s) as plain, context.wrap_socket(plain):
            return True
    except ssl.SSLCertVerificationError as err:
        return err.verify_code in _OUT_OF_TIME
    except (OSError, ValueError):
        return False


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return context


def _read(data: bytes, *, node: bool) -> Shown:
    from cryptography import x509  # loaded here because few runs need it

    try:
        certificate = x509.load_der_x509_certificate(data)
    except ValueError:
        return Shown("node" if node else "other")
    subject = [str(part.value) for part in certificate.subject]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(str(item.value) for item in extension)
    except x509.ExtensionNotFound:
        names = ()
    state = "node" if node else "maintenance" if _MAINTENANCE in (*subject, *names) else "other"
    return Shown(state, names, certificate.not_valid_before_utc, certificate.not_valid_after_utc)  # type: ignore[arg-type]
