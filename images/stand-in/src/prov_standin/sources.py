"""Where a machine's configuration comes from when its disk has none: what Talos looks at, in Talos's order."""

from __future__ import annotations

import gzip
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import yaml

from prov_standin import volumes
from prov_standin.console import say
from prov_standin.network import Setup, links

RETRY_S: Final = 3 * 3600.0
"""How long a URL is tried, as Talos does; no other answer than 200 means that there is no configuration."""

_ATTEMPT_S: Final = 30.0
_SLOWEST_S: Final = 60.0


@dataclass(frozen=True)
class Found:
    """A configuration and where it came from; `text` is empty where there is none."""

    source: str
    text: str = ""


@dataclass
class Platform:
    """What a platform tells without a network: a configuration, a URL to go for one, how the network shall be."""

    found: Found | None = None
    url: str = ""
    absent_is_none: bool = False
    hostname: str = ""
    interfaces: dict[str, Setup] = field(default_factory=dict)
    servers: list[str] = field(default_factory=list)


def look(platform: str, arguments: Mapping[str, list[str]]) -> Platform:
    """What is known before the network is up."""
    if platform == "nocloud":
        return _nocloud()
    if platform == "openstack":
        return _config_drive() or Platform(
            url="http://169.254.169.254/openstack/latest/user_data", absent_is_none=True
        )
    return _metal(arguments)


def fetch(platform: Platform, hostname: str, pause: Callable[[float], None] = time.sleep) -> Found:
    """Gets the configuration from the platform's URL, trying again until there is one or three hours are over."""
    waited, wait = 0.0, 1.0
    while True:
        url = expand(platform.url, hostname)
        try:
            return Found(f"url {platform.url}", _text(_get(url)))
        except (OSError, ValueError) as err:
            if platform.absent_is_none and getattr(err, "code", 0) == 404:
                return Found(f"url {platform.url}")
            say(f"config url {platform.url}: {_why(err)}; again in {wait:.0f} s")
        if waited > RETRY_S:
            return Found(f"url {platform.url}")
        pause(wait)
        waited, wait = waited + wait, min(wait * 2, _SLOWEST_S)


def expand(url: str, hostname: str = "") -> str:
    """`url` with ${uuid}, ${serial}, ${mac} and ${hostname} filled in, inside the values of its query only."""
    parts = urlsplit(url)
    if not parts.query:
        return url
    mac = next((link.mac for link in links()), "")
    known = {"uuid": smbios("product_uuid"), "serial": smbios("product_serial"), "mac": mac, "hostname": hostname}
    pairs = []
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        filled = known["uuid"] if name == "uuid" and not value else _filled(value, known)
        pairs.append((name, filled))
    return urlunsplit(parts._replace(query=urlencode(sorted(pairs))))


def smbios(name: str) -> str:
    """A value of the firmware's tables, lower case for UUIDs; empty where there is none."""
    try:
        text = Path("/sys/class/dmi/id", name).read_text().strip()
    except OSError:
        return ""
    return text.lower() if name == "product_uuid" else text


def _metal(arguments: Mapping[str, list[str]]) -> Platform:
    wanted = (arguments.get("talos.config") or [""])[-1]
    if wanted == "none":
        return Platform()
    if wanted and wanted != "metal-iso":
        return Platform(url=wanted)
    # Talos looks at the volume only when it is told to; a boot medium that carries its configuration is one.
    files = _files(("metal-iso",), ("config.yaml",))
    if files is not None and "config.yaml" in files:
        return Platform(found=Found("metal-iso", _text(files["config.yaml"])))
    if wanted:
        say("config metal-iso: no such volume")
    return Platform()


def unread(arguments: Mapping[str, list[str]]) -> list[str]:
    """The arguments given that Talos takes a configuration from, and this image does not."""
    return [name for name in ("talos.config.inline", "talos.config.early") if name in arguments]


def _nocloud() -> Platform:
    told = dict(part.partition("=")[::2] for part in smbios("product_serial").split(";"))
    if told.get("ds", "").startswith("nocloud") and told.get("s"):
        base = told["s"] if told["s"].endswith("/") else told["s"] + "/"
        return Platform(url=base + "user-data", absent_is_none=True, hostname=told.get("h", ""))
    files = _files(("cidata", "CIDATA"), ("user-data", "meta-data", "network-config"))
    if files is None:
        return Platform()
    platform = Platform(found=Found("cidata", user_data(files.get("user-data", b""))))
    meta = _tree(files.get("meta-data", b""))
    platform.hostname = str(meta.get("local-hostname") or meta.get("hostname") or "")
    platform.interfaces, platform.servers = network_config(_tree(files.get("network-config", b"")))
    return platform


def _config_drive() -> Platform | None:
    names = ("openstack/latest/user_data", "openstack/latest/meta_data.json")
    files = _files(("config-2",), names)
    if files is None:
        return None
    meta = _tree(files.get(names[1], b""))
    text = user_data(files.get(names[0], b""))
    return Platform(found=Found("config-2", text), hostname=str(meta.get("hostname") or ""))


def user_data(data: bytes) -> str:
    """User-data as a configuration: nothing where it is meant for cloud-init."""
    text = _text(data)
    return "" if text.startswith("#cloud-config") else text


def network_config(tree: Mapping[str, Any]) -> tuple[dict[str, Setup], list[str]]:
    """Set-ups and name servers of cloud-init's network-config, version 1 or 2, as far as Ethernet goes."""
    tree = tree.get("network", tree)
    wanted: dict[str, Setup] = {}
    servers: list[str] = []
    for name, item in (tree.get("ethernets") or {}).items():
        addresses = tuple(str(address) for address in item.get("addresses") or ())
        routes = [route for route in item.get("routes") or () if route.get("to") in ("default", "0.0.0.0/0")]
        gateway = str(item.get("gateway4") or next((route.get("via") for route in routes), "") or "")
        mac = str((item.get("match") or {}).get("macaddress") or "").lower()
        wanted[_by_mac(mac) or str(name)] = Setup(bool(item.get("dhcp4")), addresses, gateway)
        servers += [str(server) for server in (item.get("nameservers") or {}).get("addresses") or ()]
    for item in tree.get("config") or ():
        if item.get("type") == "physical":
            wanted[_by_mac(str(item.get("mac_address") or "").lower()) or str(item.get("name"))] = _version_1(item)
        elif item.get("type") == "nameserver":
            given = item.get("address") or ()
            servers += [given] if isinstance(given, str) else [str(server) for server in given]
    return wanted, servers


def _version_1(item: Mapping[str, Any]) -> Setup:
    addresses: list[str] = []
    gateway, dhcp = "", False
    for subnet in item.get("subnets") or ():
        dhcp = dhcp or str(subnet.get("type")).startswith("dhcp")
        if subnet.get("type") == "static":
            address = str(subnet.get("address"))
            mask = str(subnet.get("netmask") or "24")
            addresses.append(address if "/" in address else f"{address}/{mask}")
            gateway = str(subnet.get("gateway") or gateway)
    return Setup(dhcp, tuple(addresses), gateway)


def documents(text: str) -> list[Mapping[str, Any]]:
    """The documents of a configuration that are mappings; none where it is no YAML."""
    try:
        found = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return []
    return [item for item in found if isinstance(item, dict)]


def _by_mac(mac: str) -> str:
    return next((link.name for link in links() if link.mac == mac), "") if mac else ""


def _files(labels: tuple[str, ...], names: tuple[str, ...]) -> dict[str, bytes] | None:
    """The named files of the first volume with one of these labels, or None without such a volume."""
    found = volumes.labelled(*labels)
    if found is None:
        return None
    try:
        with volumes.mounted(*found) as folder:
            return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    except OSError as err:
        say(f"config {found[0].path}: {err}")
        return None


def _get(url: str) -> bytes:
    if urlsplit(url).scheme != "http":
        raise ValueError("the stand-in fetches by http only")
    with urllib.request.urlopen(url, timeout=_ATTEMPT_S) as answer:  # noqa: S310  (checked above)
        if answer.status != 200:
            raise ValueError(f"status {answer.status}")
        data: bytes = answer.read()
    if not data:
        raise ValueError("the answer is empty")
    return data


def _text(data: bytes) -> str:
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return data.decode("utf-8", "replace")


def _tree(data: bytes) -> Mapping[str, Any]:
    try:
        tree = yaml.load(data.decode("utf-8", "replace"), Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return {}
    return tree if isinstance(tree, dict) else {}


def _filled(value: str, known: Mapping[str, str]) -> str:
    lowered = value.lower()
    for name, text in known.items():
        mark = "${" + name + "}"
        while (at := lowered.find(mark)) >= 0:
            value = value[:at] + text + value[at + len(mark) :]
            lowered = value.lower()
    return value


def _why(err: Exception) -> str:
    if isinstance(err, urllib.error.HTTPError):
        return f"status {err.code}"
    return str(getattr(err, "reason", err))
