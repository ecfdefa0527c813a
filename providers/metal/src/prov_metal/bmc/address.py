"""Where a BMC answers and what it speaks, as an inventory writes it.

redfish://10.0.0.12            Redfish over HTTPS; a port may follow
redfish+http://127.0.0.1:8000  Redfish in the clear, for emulators and sealed-off networks
redfish://10.0.0.12/Systems/2  one system of several behind a BMC
"""

from __future__ import annotations

from urllib.parse import urlsplit

from attrs import frozen

from provisioner.sdk import ProvError

_SCHEMES = {"redfish": "https", "redfish+https": "https", "redfish+http": "http"}


@frozen
class BmcAddress:
    """`base` is the URL without a path; `system` is the last part of the path of one of several systems, or empty."""

    base: str
    system: str = ""

    @property
    def secure(self) -> bool:
        return self.base.startswith("https:")


def parse(text: str) -> BmcAddress:
    """Raises ProvError for what is no address of a BMC."""
    parts = urlsplit(text)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme not in _SCHEMES or not host or "@" in parts.netloc:
        raise ProvError(
            "an address of a BMC cannot be read",
            detail="it has a user or a password in it" if "@" in text else f"{text!r} is no redfish:// and a host",
            remedy="write redfish://HOST, and user and password as fields of their own",
        )
    place = f"[{host}]" if ":" in host else host
    return BmcAddress(
        f"{_SCHEMES[parts.scheme]}://{place}{f':{port}' if port else ''}", parts.path.rstrip("/").rpartition("/")[2]
    )
