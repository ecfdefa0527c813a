"""What a provider block of type `metal` and its inventory may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import field, frozen

from prov_metal import matching
from prov_metal.boot.dhcp import DhcpSettings, wrong
from prov_metal.boot.tls import Tls
from provisioner.sdk import ProvError, Secret, Value, prop, written

T = TypeVar("T")
_SETTING = "a setting of the metal provider is wrong"


@frozen
class HostRow:
    """A row of the inventory: a place in a rack, whatever chassis is in it.

    bmc          where its management controller answers, such as `redfish://10.0.0.12`
    address      where the node answers once it runs: a fixed address, or one that DHCP always gives it
    username     for the BMC; the provider block has those that all hosts share
    password     best as `${env.NAME}`
    fingerprint  SHA-256 of the BMC's certificate, where no authority vouches for it
    verify       false gives up on checking the BMC's certificate
    uuid, serial what the BMC must say of the chassis, where it matters which one it is
    macs         of its network cards, the one it boots from first
    rack, unit, pdu
                 where it stands and what feeds it; nodes are spread over racks
    boot         the ways it is booted in, in the order in which they are tried; empty for those of the provider
                 block, else for what suits its BMC
    disk         Talos is installed onto this one
    wipe         the disks that are erased when its node leaves for good; empty for none
    trust        how sure one has to be of the host before it gets its configuration: `media`, `console` or
                 `network`, see `trust`; empty for what the provider block says
    console      where its serial console can be heard, `tcp://HOST:PORT`; empty for that of its BMC
    labels       for pools to choose by
    facts        what the machine is, such as `memory_gib`, for pools to ask for; `prov metal look` reads it
    """

    bmc: str
    address: str
    username: str = ""
    password: Secret | None = prop(secret=True, default=None)  # noqa: RUF009
    fingerprint: str = ""
    verify: bool = True
    uuid: str = ""
    serial: str = ""
    macs: tuple[str, ...] = ()
    rack: str = ""
    unit: str = ""
    pdu: str = ""
    boot: tuple[str, ...] = ()
    disk: str = "/dev/sda"
    wipe: tuple[str, ...] = ()
    trust: str = ""
    console: str = ""
    labels: Mapping[str, str] = field(factory=dict)
    facts: Mapping[str, Any] = field(factory=dict)


@frozen
class MetalSettings:
    """The provider block.

    inventory  a file of hosts (YAML or CSV, see `HostRow`), or the hosts themselves by name
    username, password
               for BMCs whose row says nothing else
    ca         a file of certificates that BMCs are checked against; empty for the system's
    serve      address and port at which this computer hands out media to the BMCs, such as `10.0.0.5:8069`; it has
               to stay the same, for a run that was cut off serves the same again
    boot       the ways of hosts whose row names none
    trust      of hosts whose row says nothing else
    image      the ISO that hosts boot from, a URL or a file; empty for the one of the cluster's Image Factory, as
               for those that follow
    http_image the ISO or the program (`.efi`) that firmware fetches by HTTP
    kernel, initramfs, cmdline
               what hosts boot over the network: two files, and one with kernel arguments
    serve_everywhere
               listens on all interfaces, not only on the address of `serve`
    serve_tls  serves HTTPS: `cert` and `key`, files in PEM; hosts and BMCs have to trust its authority
    serve_alone
               `prov serve` runs at `serve`, on this computer or another; a run serves nothing itself
    dhcp       answers hosts that boot over the network, see `boot.dhcp.DhcpSettings`
    """

    inventory: Mapping[str, Any] = field(factory=dict)
    username: str = ""
    password: Secret | None = prop(secret=True, default=None)  # noqa: RUF009
    ca: str = ""
    serve: str = ""
    boot: tuple[str, ...] = ()
    trust: str = "media"
    image: str = ""
    http_image: str = ""
    kernel: str = ""
    initramfs: str = ""
    cmdline: str = ""
    serve_everywhere: bool = False
    serve_tls: Mapping[str, str] = field(factory=dict)
    serve_alone: bool = False
    dhcp: Mapping[str, Any] = field(factory=dict)


@frozen
class MetalNodeOptions:
    """What a pool may say: which hosts it may have. All that is said must be true of a host.

    hosts   by name
    racks   in one of these
    labels  with all of these
    facts   which are as asked for: a value, or `>=`, `>`, `<=`, `<`, `!=` and a value
    """

    hosts: tuple[str, ...] = ()
    racks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(factory=dict)
    facts: Mapping[str, Any] = field(factory=dict)


def settings_of(block: Mapping[str, Value]) -> MetalSettings:
    """The settings of a provider block; raises ProvError."""
    return _built(MetalSettings, block, _SETTING, "correct the provider block")


def options_of(pool: str, options: Mapping[str, Value]) -> MetalNodeOptions:
    """The options of a pool; raises ProvError."""
    summary, remedy = "a pool option of the metal provider is wrong", f"correct the pool {pool}"
    built = _built(MetalNodeOptions, options, summary, remedy)
    if strange := matching.wrong(built.facts):
        raise ProvError(summary, detail=strange, remedy=remedy)
    return built


def dhcp_of(settings: MetalSettings) -> DhcpSettings | None:
    """How hosts get their addresses while they boot, None where that is not our task; raises ProvError."""
    if not settings.dhcp:
        return None
    found = _built(DhcpSettings, settings.dhcp, _SETTING, "correct `dhcp` in the provider block")
    if sentence := wrong(found):
        raise ProvError(_SETTING, detail=sentence, remedy="correct `dhcp` in the provider block")
    return found


def tls_of(settings: MetalSettings) -> Tls | None:
    """What to serve HTTPS with; raises ProvError."""
    if not settings.serve_tls:
        return None
    return _built(Tls, settings.serve_tls, _SETTING, "give `cert` and `key`, two files, as `serve_tls`")


def hosts_of(settings: MetalSettings) -> dict[str, HostRow]:
    """The inventory by name, in its order; raises ProvError for a row that is none."""
    return {
        name: _built(HostRow, row, "a host of the inventory is wrong", f"correct the host {name}")
        for name, row in settings.inventory.items()
    }


def _built(cls: type[T], given: Mapping[str, Value], summary: str, remedy: str) -> T:
    ours = {name: value for name, value in given.items() if name != "type"}
    return written(cls, ours, lambda detail: ProvError(summary, detail=detail, remedy=remedy))
