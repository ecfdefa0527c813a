"""How a BMC takes a connection when it is asked for nothing but its root, with more patience than usual.

The service root needs no password, and no certificate is looked at: this tells of the way to the BMC and of its life.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from urllib.parse import urlsplit

from prov_metal.diagnosis.evidence import Reach

_CAPABILITIES = bytes.fromhex("0600ff07 00 00000000 00000000 09 2018c8 810038 8e04 b5")
"""Get Channel Authentication Capabilities in a packet outside of any session (IPMI 2.0, 22.13)."""
_AGAIN_S = 1.0
"""When a packet counts as lost; the question is a short one."""


def reach(base: str, *, usual_s: float, patience_s: float) -> Reach:
    """`base` is the URL of a BMC; an answer that takes longer than `usual_s` is a slow one."""
    parts = urlsplit(base)
    if parts.scheme == "ipmi":
        return _by_ipmi(parts.hostname or "", parts.port or 623, usual_s, patience_s)
    host, began = parts.hostname or "", time.monotonic()
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port, timeout=patience_s, context=_blind())
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=patience_s)
    connected = False
    try:
        connection.sock = socket.create_connection((host, connection.port), min(patience_s, usual_s))
        connected = True
        connection.sock.settimeout(patience_s)
        if parts.scheme == "https":
            connection.sock = _blind().wrap_socket(connection.sock, server_hostname=host)
        connection.request("GET", "/redfish/v1/", headers={"Connection": "close"})
        connection.getresponse().read()
    except ConnectionRefusedError:
        return Reach("refused", time.monotonic() - began)
    except (OSError, http.client.HTTPException):
        return Reach("mute" if connected else "unreachable", time.monotonic() - began)
    finally:
        connection.close()
    took = time.monotonic() - began
    return Reach("slow" if took > usual_s else "answers", took)


def _by_ipmi(host: str, port: int, usual_s: float, patience_s: float) -> Reach:
    """Asks what a BMC can do, which it tells without a login; nobody is told who asks.

    Over UDP a host that does not listen refuses, and one that is not there is silent, as is a firewall; and packets
    get lost, so the question is asked again and again.
    """
    began = time.monotonic()
    try:
        where = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0]
        with socket.socket(where[0], socket.SOCK_DGRAM) as wire:
            wire.connect(where[4])
            while not _told(wire, min(_AGAIN_S, patience_s)):
                if time.monotonic() - began >= patience_s:
                    return Reach("unreachable", time.monotonic() - began)
    except ConnectionRefusedError:
        return Reach("refused", time.monotonic() - began)
    except OSError:
        return Reach("unreachable", time.monotonic() - began)
    took = time.monotonic() - began
    return Reach("slow" if took > usual_s else "answers", took)


def _told(wire: socket.socket, limit_s: float) -> bool:
    """Whether one packet has an answer in time."""
    wire.settimeout(limit_s)
    wire.send(_CAPABILITIES)
    try:
        return bool(wire.recv(1024))
    except TimeoutError:
        return False


def status_of(url: str, *, timeout_s: float) -> int:
    """The status of an answer to HEAD; 0 where there is none. No certificate is looked at."""
    parts = urlsplit(url)
    where = (parts.hostname or "", parts.port)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(*where, timeout=timeout_s, context=_blind())
    else:
        connection = http.client.HTTPConnection(*where, timeout=timeout_s)
    try:
        connection.request("HEAD", parts.path, headers={"Connection": "close"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _blind() -> ssl.SSLContext:
    """Looks at no certificate: nothing is sent that is worth anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
