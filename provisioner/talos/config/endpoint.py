"""The address of the Kubernetes API, as host or as URL.

It is written in the file as either, or is a reference to a host that some provider makes.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from provisioner.sdk import Call, ProvError, Value, strip_origins

PORT = 6443
"""Where the Kubernetes API listens when no URL says otherwise."""

_IPV4_NETWORKS = ("10.244.0.0/16", "10.96.0.0/12")
_IPV6_NETWORKS = ("fc00:db8:10::/56", "fc00:db8:20::/112")

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class EndpointError(ProvError):
    """An endpoint that is neither a host nor a URL."""

    code = "endpoint"


def url(endpoint: Value) -> Value:
    """The endpoint as URL; a reference is taken for a host, and port 6443 added to it.

    Raises EndpointError for a text that is no host or URL.
    """
    text = strip_origins(endpoint)
    if not isinstance(text, str):
        return Call("concat", ("https://", endpoint, f":{PORT}"))
    if "://" in text:
        _host_of(text)
        return text
    name = host(text)
    bracketed = f"[{name}]" if ":" in str(name) else name
    return f"https://{bracketed}:{PORT}"


def host(endpoint: Value) -> Value:
    """The host of the endpoint; a reference is taken for one.

    Raises EndpointError for a text that is no host or URL.
    """
    text = strip_origins(endpoint)
    if not isinstance(text, str):
        return endpoint
    if "://" in text:
        return _host_of(text)
    if ":" in text and not is_ipv6(text):
        raise _unusable(text, "a port is part of a URL only")
    return _checked(text.lower(), text)


def is_ipv6(endpoint: Value) -> bool:
    """Whether the endpoint is a literal IPv6 address."""
    try:
        return ipaddress.ip_address(str(strip_origins(endpoint))).version == 6
    except ValueError:
        return False


def networks(endpoint: Value) -> tuple[str, str]:
    """The networks of pods and of services, of the address family of the endpoint."""
    return _IPV6_NETWORKS if is_ipv6(host(endpoint)) else _IPV4_NETWORKS


def _host_of(text: str) -> str:
    try:
        parts = urlsplit(text)
        name, _ = parts.hostname, parts.port  # reading the port checks it
    except ValueError as err:
        raise _unusable(text, str(err)) from None
    if parts.scheme != "https" or not name:
        raise _unusable(text, "it has no host, or a scheme other than https")
    return _checked(name, text)


def _checked(name: str, written: str) -> str:
    if _NAME.fullmatch(name) is None and not is_ipv6(name):
        raise _unusable(written, "the host is neither a name nor an address")
    return name


def _unusable(written: str, why: str) -> EndpointError:
    return EndpointError(
        "the endpoint of the cluster is neither a host nor a URL",
        detail=f"{written!r}: {why}",
        remedy="write a host such as api.example.org, or a URL such as https://api.example.org:6443",
    )
