"""What a security group lets in and out: rules as a file says them, and as EC2 does.

A rule is a mapping: `ports` such as `tcp/6443`, `udp/1-9`, `icmp` or `all`; `from`, or `to` for what goes out: a
CIDR, the id of a group or prefix list, or `self`; and `for`, what it is there for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from prov_aws.settings import ports_of

SELF = "self"


@frozen(order=True)
class Opening:
    """One opening, in the one form by which two are compared. Ports are -1 for all."""

    protocol: str
    first: int
    last: int
    source: str

    def __str__(self) -> str:
        return f"{self.ports} from {self.source}"

    @property
    def ports(self) -> str:
        if self.protocol == "-1":
            return "all"
        if self.first < 0:
            return self.protocol
        return f"{self.protocol}/{self.first}" + ("" if self.first == self.last else f"-{self.last}")


def opening(rule: Mapping[str, Any]) -> Opening:
    """The opening that a rule of a file is about."""
    return Opening(*ports_of(str(rule["ports"])), _source(str(rule["to"] if "to" in rule else rule["from"])))


def openings(rules: Any) -> Any:
    """Rules without their order and what they are for, for comparing; what is no list of rules stays as it is."""
    try:
        return tuple(sorted(opening(rule) for rule in rules))
    except (TypeError, KeyError, AttributeError):
        return rules


EVERYWHERE = Opening("-1", -1, -1, "0.0.0.0/0")
_EVERYTHING = frozenset({EVERYWHERE, Opening("-1", -1, -1, "::/0")})
"""What a new group lets out, the latter in networks with IPv6."""


def are_everything(out: Iterable[Opening]) -> bool:
    """Whether what goes out is as AWS makes a group: everything, by IPv4 at least."""
    there = frozenset(out)
    return EVERYWHERE in there and there <= _EVERYTHING


def ways_out(rules: Any) -> Any:
    """Outgoing rules, for comparing; those that let everything out are like none."""
    found = openings(rules)
    return None if isinstance(found, tuple) and are_everything(found) else found


def permission(opening: Opening, group: str, text: str) -> dict[str, Any]:
    """An opening as EC2 is asked for it; `group` is the one it belongs to."""
    ports = {} if opening.protocol == "-1" else {"FromPort": opening.first, "ToPort": opening.last}
    about = {"Description": text} if text else {}
    source = group if opening.source == SELF else opening.source
    if source.startswith("sg-"):
        whom: dict[str, Any] = {"UserIdGroupPairs": [{"GroupId": source, **about}]}
    elif source.startswith("pl-"):
        whom = {"PrefixListIds": [{"PrefixListId": source, **about}]}
    elif ":" in source:
        whom = {"Ipv6Ranges": [{"CidrIpv6": source, **about}]}
    else:
        whom = {"IpRanges": [{"CidrIp": source, **about}]}
    return {"IpProtocol": opening.protocol, **ports, **whom}


def described(rule: Mapping[str, Any]) -> Opening:
    """The opening that a rule of EC2 makes."""
    group = rule.get("ReferencedGroupInfo", {}).get("GroupId", "")
    source = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId") or group
    protocol = str(rule["IpProtocol"])
    whole = protocol == "-1"
    first, last = (-1, -1) if whole else (int(rule.get("FromPort", -1)), int(rule.get("ToPort", -1)))
    return Opening(protocol, first, last, SELF if source == rule["GroupId"] else _source(str(source)))


def as_rule(opening: Opening, text: str, way: str = "from") -> dict[str, str]:
    """An opening as a file says it; `way` is `from` or `to`."""
    return {"ports": opening.ports, way: opening.source, "for": text}


def _source(text: str) -> str:
    """A source in one spelling."""
    if "/" not in text:
        return text
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text
