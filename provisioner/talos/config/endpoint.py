"""The address of the Kubernetes API, as host or as URL.

It is written in the file as either, or is a reference to a host that some provider makes.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from provisioner.sdk import Call, ProvError, Value, strip_origins

PORT = 6443
"""Where the Kubernetes API listens when no URL says otherwise."""


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
        _host_of(text, text)
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
        return _host_of(text, text)
    if is_ipv6(text):
        return text
    name = _host_of(f"https://{text}", text)
    if ":" in text:
        raise _unusable(text, "a port is part of a URL only")
    return name


def is_ipv6(endpoint: Value) -> bool:
    """Whether the endpoint is a literal IPv6 address."""
    try:
        return ipaddress.ip_address(str(strip_origins(endpoint))).version == 6
    except ValueError:
        return False


def _host_of(text: str, written: str) -> str:
    try:
        parts = urlsplit(text)
        name, _ = parts.hostname, parts.port  # reading the port checks it
    except ValueError as err:
        raise _unusable(written, str(err)) from None
    if parts.scheme != "https" or not name:
        raise _unusable(written, "it has no host, or a scheme other than https")
    return name


def _unusable(written: str, why: str) -> EndpointError:
    return EndpointError(
        "The endpoint of the cluster is neither a host nor a URL",
        detail=f"{written!r}: {why}",
        remedy="Write a host such as api.example.org, or a URL such as https://api.example.org:6443.",
    )
