"""The `NetworkRuleConfig` document: who may reach ports of the machine.

Source: siderolabs/talos v1.14, `types/network/rule_config.go` and `port_range.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import strip_origins
from provisioner.talos.settings.forms import NETWORK, PORTS, RULE_NAME, one_of
from provisioner.talos.settings.section import Complaint, Document, Settings, document, items, renamed, rows
from provisioner.talos.settings.shape import Key, Many, Named, Table

_SOURCE = Table(
    {
        "subnet": Key(NETWORK, "a network", required=True),
        "except": Key(NETWORK, "a part of it that is left out"),
    },
    short="subnet",
)
RULES = Key(
    Named(
        RULE_NAME,
        Table(
            {
                "ports": Key(Many(PORTS), "ports and ranges of ports", required=True),
                "protocol": Key(one_of("tcp", "udp", "icmp", "icmpv6"), "what goes there", required=True),
                "from": Key(Many(_SOURCE), "who may; a network is short for `{subnet: …}`", required=True),
            }
        ),
    ),
    "who may reach which ports, by a name of your own",
)


def network_rule(name: str, settings: Settings) -> Document:
    """The document of one rule."""
    selector = renamed(settings, {"ports": "ports", "protocol": "protocol"})
    sources = tuple(renamed(source, {"subnet": "subnet", "except": "except"}) for source in rows(settings, "from"))
    return document("NetworkRuleConfig", name, portSelector=selector, ingress=sources)


def judge_rule(settings: Settings, *path: str) -> Iterator[Complaint]:
    """Ports that are named twice."""
    met: list[tuple[int, int]] = []
    if "ports" in settings and not items(settings, "ports"):
        yield Complaint((*path, "ports"), "a rule without ports lets nobody in", "name a port")
    for number, item in enumerate(items(settings, "ports")):
        text = str(strip_origins(item))
        low, _, high = text.partition("-")
        if not low.isdigit():
            continue
        ends = int(low), int(high or low)
        if any(ends[0] <= other[1] and other[0] <= ends[1] for other in met):
            yield Complaint((*path, "ports", number), f"{text} overlaps with another entry", "take it out")
        met.append(ends)
