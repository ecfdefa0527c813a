"""The `BondConfig` document: several links as one.

Source: siderolabs/talos v1.14, `types/network/bond.go`; for the root document `Bond` of v1.11, and `checkBond` for
what goes with which mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.sdk import Value, strip_origins
from provisioner.talos.config.documents.addressing import COMMON, link_fields
from provisioner.talos.config.documents.dhcp import dhcp
from provisioner.talos.settings.forms import ADDRESS, FLAG, LINK_NAME, MAC, one_of, whole
from provisioner.talos.settings.section import Complaint, Document, Settings, document, items, plain, renamed
from provisioner.talos.settings.shape import Key, Leaf, Many, Named, Table

LACP = "802.3ad"
_BALANCING = ("balance-tlb", "balance-alb")
_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", LACP, *_BALANCING)
_MILLISECONDS = whole(1, 2**32 - 1)

_OPTIONS: Mapping[str, tuple[Leaf, str]] = {
    "xmit_hash_policy": (
        one_of("layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4"),
        "what decides which link a packet takes",
    ),
    "lacp_rate": (one_of("slow", "fast"), f"how often the other side shall tell of itself; for `{LACP}`"),
    "miimon": (_MILLISECONDS, "how often links are looked at, in milliseconds"),
    "up_delay": (_MILLISECONDS, "how long a link is up before it is used, in milliseconds; a multiple of `miimon`"),
    "down_delay": (_MILLISECONDS, "how long a link is down before it is dropped, likewise"),
    "use_carrier": (FLAG, "whether the carrier tells if a link is up"),
    "arp_interval": (
        _MILLISECONDS,
        f"how often hosts are asked, in milliseconds; not for `{LACP}` and balancing modes",
    ),
    "arp_validate": (one_of("none", "active", "backup", "all"), "which answers count; likewise"),
    "arp_all_targets": (one_of("any", "all"), "how many hosts must answer"),
    "primary_reselect": (one_of("always", "better", "failure"), "when the primary link is used again"),
    "fail_over_mac": (one_of("none", "active", "follow"), "what becomes of the hardware address"),
    "ad_select": (one_of("stable", "bandwidth", "count"), f"how an aggregator is chosen; for `{LACP}`"),
    "ad_actor_system_priority": (whole(1, 65535), f"for `{LACP}`"),
    "min_links": (whole(1, 255), "how many links must be up for the bond to be up"),
    "resend_igmp": (whole(0, 255), "how often multicast memberships are told again"),
}

BONDS = Key(
    Named(
        LINK_NAME,
        Table(
            {
                "links": Key(Many(LINK_NAME), "the links it is made of", required=True),
                "mode": Key(one_of(*_MODES), "how they work together", required=True),
                **{key: Key(shape, about) for key, (shape, about) in _OPTIONS.items()},
                "arp_ip_targets": Key(Many(ADDRESS), "whom to ask", needs=lambda contract: contract.link_documents),
                "mac": Key(MAC, "its hardware address", needs=lambda contract: contract.link_documents),
                **COMMON,
            }
        ),
    ),
    "bonds, by name",
)

_NAMES = {
    "miimon": "miimon",
    "up_delay": "updelay",
    "down_delay": "downdelay",
    "use_carrier": "useCarrier",
    "xmit_hash_policy": "xmitHashPolicy",
    "arp_interval": "arpInterval",
    "arp_ip_targets": "arpIpTargets",
    "arp_validate": "arpValidate",
    "arp_all_targets": "arpAllTargets",
    "lacp_rate": "lacpRate",
    "fail_over_mac": "failOverMac",
    "ad_select": "adSelect",
    "ad_actor_system_priority": "adActorSysPrio",
    "primary_reselect": "primaryReselect",
    "resend_igmp": "resendIGMP",
    "min_links": "minLinks",
}
_LEGACY = {**_NAMES, "resend_igmp": "resendIgmp"}

_ONLY: Mapping[str, tuple[str, ...]] = {
    "lacp_rate": (LACP,),
    "ad_actor_system_priority": (LACP,),
    "arp_interval": tuple(mode for mode in _MODES if mode not in (LACP, *_BALANCING)),
    "arp_validate": tuple(mode for mode in _MODES if mode not in (LACP, *_BALANCING)),
}
"""The modes in which an option may be set."""


def bond(name: str, settings: Settings) -> Iterator[Document]:
    """The documents of one bond."""
    fields = {
        **renamed(settings, {"mac": "hardwareAddr", "links": "links", "mode": "bondMode", **_NAMES}),
        **link_fields(settings),
    }
    yield document("BondConfig", name, **fields)
    yield from dhcp(name, settings)


def interface_bond(settings: Settings, selectors: Mapping[str, Value]) -> dict[str, Value]:
    """The `bond` of an entry among the root document's interfaces.

    selectors   of the links that are found by what they are; either all of the bond's links are, or none
    """
    members = [strip_origins(item) for item in items(settings, "links")]
    if any(member in selectors for member in members):
        chosen = tuple(selectors[str(member)] for member in members)
        head: dict[str, Value] = {"interfaces": (), "deviceSelectors": chosen}
    else:
        head = {"interfaces": items(settings, "links")}
    return {**head, **renamed(settings, {"mode": "mode", **_LEGACY})}


def judge_bond(settings: Settings, *path: str) -> Iterator[Complaint]:
    """Options that the mode has no use for, and delays that are never waited for."""
    mode = plain(settings, "mode")
    for key, modes in _ONLY.items():
        if key in settings and isinstance(mode, str) and mode not in modes:
            yield Complaint((*path, key), f"{key} means nothing in the mode {mode}", "take it out")
    watch = plain(settings, "miimon")
    for key in ("up_delay", "down_delay"):
        delay = plain(settings, key)
        if key in settings and watch is None:
            yield Complaint((*path, key), f"{key} means nothing without `miimon`", "add `miimon: 100`")
        elif isinstance(delay, int) and isinstance(watch, int) and delay % watch:
            yield Complaint(
                (*path, key), f"{key} is {delay}, and no multiple of miimon, which is {watch}", "round it"
            )
