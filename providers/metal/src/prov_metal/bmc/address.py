"""Where a BMC answers and what it speaks, as an inventory writes it.

redfish://10.0.0.12            Redfish over HTTPS; a port may follow
redfish+http://127.0.0.1:8000  Redfish in the clear, for emulators and sealed-off networks
redfish://10.0.0.12/Systems/2  one system of several behind a BMC
ipmi://10.0.0.12               IPMI 2.0 over LAN, encrypted; port 623 unless another follows

Behind a `?` and joined by `&` may follow

vendor=NAME    who made it, where the BMC does not say so itself; see `flavours`
cipher=17|3    IPMI: this cipher suite and no other; else 17 is tried, then 3
mode=bios      IPMI: the machine boots the old way; else by UEFI
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from attrs import frozen

from prov_metal.bmc.flavours import FLAVOURS
from provisioner.sdk import ProvError, did_you_mean

_SCHEMES = {"redfish": "https", "redfish+https": "https", "redfish+http": "http", "ipmi": "ipmi"}
_PORT = 623
_OPTIONS = {
    "vendor": tuple(FLAVOURS),
    "cipher": ("17", "3"),
    "mode": ("uefi", "bios"),
}
_OF_IPMI = ("cipher", "mode")


@frozen
class BmcAddress:
    """`base` is the URL without a path; `system` is the last part of the path of one of several systems, or empty.

    `vendor` is a key of `FLAVOURS`, empty where the BMC is asked. `cipher` and `uefi` are for IPMI; cipher 0 is any.
    """

    base: str
    system: str = ""
    vendor: str = ""
    cipher: int = 0
    uefi: bool = True

    @property
    def secure(self) -> bool:
        return self.base.startswith("https:")

    @property
    def ipmi(self) -> bool:
        return self.base.startswith("ipmi:")

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.base)
        return parts.hostname or "", parts.port or {"http": 80, "https": 443, "ipmi": _PORT}[parts.scheme]


def parse(text: str) -> BmcAddress:
    """Raises ProvError for what is no address of a BMC."""
    parts = urlsplit(text)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme not in _SCHEMES or not host or "@" in parts.netloc:
        raise _wrong(
            "it has a user or a password in it"
            if "@" in text
            else f"{text!r} is no redfish:// or ipmi:// and a host",
            "write redfish://HOST or ipmi://HOST, and user and password as fields of their own",
        )
    ipmi = parts.scheme == "ipmi"
    if ipmi and parts.path.strip("/"):
        raise _wrong(f"{text!r} has a path, which IPMI has not", "write ipmi://HOST; paths are for Redfish")
    said = _options(text, parts.query, ipmi)
    place = f"[{host}]" if ":" in host else host
    port = port or (_PORT if ipmi else None)
    return BmcAddress(
        f"{_SCHEMES[parts.scheme]}://{place}{f':{port}' if port else ''}",
        parts.path.rstrip("/").rpartition("/")[2],
        said.get("vendor", ""),
        int(said.get("cipher", 0)),
        said.get("mode") != "bios",
    )


def _options(text: str, query: str, ipmi: bool) -> dict[str, str]:
    """What follows the question mark, each known and with a value that it can have."""
    said = dict(parse_qsl(query, keep_blank_values=True))
    known = [name for name in _OPTIONS if ipmi or name not in _OF_IPMI]
    for name, value in said.items():
        if name not in known:
            raise _wrong(f"{text!r} has {name!r}, which is nothing here", did_you_mean(name, known))
        if value not in _OPTIONS[name]:
            raise _wrong(
                f"{text!r}: {name} cannot be {value!r}",
                did_you_mean(value, _OPTIONS[name]) if name == "vendor" else f"one of {', '.join(_OPTIONS[name])}",
            )
    return said


def _wrong(detail: str, remedy: str) -> ProvError:
    return ProvError("an address of a BMC cannot be read", detail=detail, remedy=remedy)
