"""Whose Talos API it is that answers at an address, told by its certificate alone.

A node of the cluster shows a certificate of the cluster's own authority, and has it only once it runs with its
configuration, from its disk. A machine in maintenance shows one that it made itself.
"""

from __future__ import annotations

import socket
import ssl
from typing import Literal

Answer = Literal["node", "other", "silent"]

PORT = 50000
TIMEOUT_S = 3.0


def who(host: str, authority: str, *, port: int = PORT, timeout_s: float = TIMEOUT_S) -> Answer:
    """`authority` is the PEM text of the cluster's certificate. One connection, at most `timeout_s` seconds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=authority)
    try:
        with (
            socket.create_connection((host, port), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return "node"
    except ssl.SSLCertVerificationError:
        return "other"
    except (OSError, ValueError):
        return "silent"
