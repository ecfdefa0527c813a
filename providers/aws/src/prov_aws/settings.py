"""What a provider block of type `aws` and its pools may say."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import field, frozen

from provisioner.sdk import Call, ProvError, Ref, Schema, Value, leaves, strip_origins, written

T = TypeVar("T")
TALOS_OWNER = "540036508848"
"""The account under which Sidero Labs publishes the images of Talos."""
TALOS_NAME = "talos-{version}-{region}-{arch}"
"""What they are called."""


@frozen(kw_only=True)
class AwsSettings:
    """The provider block.

    region         such as `eu-west-1`; else from AWS_REGION or the profile
    profile        of ~/.aws/config; else from AWS_PROFILE
    assume_role    the ARN of a role to act as, or `{arn, external_id, session_name}`
    instance_role  whether credentials may come from the role of the machine that prov runs on
    endpoint_url   where all services answer, for private endpoints and emulators
    endpoints      the same by service, such as `{s3: https://…}`
    network        what network there is or shall be, see `NetworkWish`
    nodes          `public`: with public addresses; `private`: behind NAT
    nat            for private nodes: `one` gateway, one in `each` zone, or `none`
    dial           at which address machines are reached: `public` or `private`; as `nodes` where it is empty
    operators      CIDRs from which the Kubernetes API and the Talos API may be reached
    peer_ports     what nodes may reach at each other beyond what Talos, Kubernetes and flannel need
    node_ports     CIDRs from which NodePort services may be reached at workers
    outgoing       what nodes may reach outside, as rules `{ports, to, for}`; everything where it is empty
    balancer       how the Kubernetes API is balanced, see `BalancerWish`
    ipv6           addresses of both families
    image          where machines boot from, see `ImageWish`
    tags           put on everything
    in_flight      calls at the same time
    per_second     calls begun in a second; EC2 refills about 5 of those that make something, and 20 that read
    """

    region: str = ""
    profile: str = ""
    assume_role: str | Mapping[str, str] = ""
    instance_role: bool = True
    endpoint_url: str = ""
    endpoints: Mapping[str, str] = field(factory=dict)
    network: Mapping[str, Any] = field(factory=dict)
    nodes: str = "public"
    nat: str = "one"
    dial: str = ""
    operators: tuple[str, ...] = ()
    peer_ports: tuple[str, ...] = ()
    node_ports: tuple[str, ...] = ()
    outgoing: tuple[Any, ...] = ()
    balancer: Mapping[str, Any] = field(factory=dict)
    ipv6: bool = False
    image: str | Mapping[str, Any] = ""
    tags: Mapping[str, str] = field(factory=dict)
    in_flight: int = 16
    per_second: float = 20.0

    @property
    def role(self) -> Mapping[str, str]:
        """The role to act as, as a mapping; empty for none."""
        role = self.assume_role
        if isinstance(role, str):
            return {"arn": role} if role else {}
        return role

    @property
    def role_arn(self) -> str:
        return self.role.get("arn", "")

    @property
    def dialled(self) -> str:
        """`public` or `private`: the address at which machines are reached."""
        return self.dial or self.nodes


@frozen(kw_only=True)
class NetworkWish:
    """The `network:` of a provider block.

    cidr     of the network that is made; at least a /20
    id       an existing network
    tags     an existing network, by its tags
    subnets  of an existing network: the id of the nodes' subnet by zone; of a new one: the CIDR by zone, for zones
             that are no single letter
    balancer_subnets  of an existing network: the subnets of the balancer by zone, where they are others
    outside  of an existing network: CIDRs from which its nodes are seen outside, such as that of a NAT gateway
    """

    cidr: str = "10.0.0.0/16"
    id: str = ""
    tags: Mapping[str, str] = field(factory=dict)
    subnets: Mapping[str, Any] = field(factory=dict)
    balancer_subnets: Mapping[str, Any] = field(factory=dict)
    outside: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        return bool(self.id or self.tags)


@frozen(kw_only=True)
class BalancerWish:
    """The `balancer:` of a provider block.

    public      with public addresses, else for the network only
    talos_api   whether it leads to port 50000 of the control planes too
    cross_zone  whether each zone's part leads to control planes in all zones
    fixed       whether it has elastic IP addresses
    """

    public: bool = True
    talos_api: bool = False
    cross_zone: bool = True
    fixed: bool = False


@frozen(kw_only=True)
class ImageWish:
    """The `image:` of a provider block or pool; a text is an id.

    id       of an image in the region
    owner    the account that publishes images called `name`
    name     with `{version}`, `{region}` and `{arch}` in it
    factory  whether an image of one's own is made from the Image Factory's disk image; that is so by itself where
             the file wants system extensions or the like, and no image is named
    """

    id: str = ""
    owner: str = TALOS_OWNER
    name: str = TALOS_NAME
    factory: bool = False

    @property
    def named(self) -> bool:
        """Whether the file says which published image it means."""
        return (self.owner, self.name) != (TALOS_OWNER, TALOS_NAME)


@frozen(kw_only=True)
class NodeOptions:
    """What a pool may say to this provider beyond the common fields.

    arch             `amd64` or `arm64`, where the size does not tell
    image            another image than the provider block's
    root             the system disk: `{size_gib, type, iops, throughput, encrypted, key, device}`
    volumes          further disks: `{device, size_gib, type, iops, throughput, encrypted, key, snapshot, keep}`
    profile          the instance profile
    placement        `spread`, `cluster`, `partition`, or the name of a placement group that exists
    spot             run on spare capacity: true, or the most to pay for an hour in dollars; workers only
    elastic_ip       whether each node has an address of its own for life
    security_groups  ids of further groups
    hop_limit        of answers of the metadata service; 1 keeps pods away from it
    targets          ARNs of target groups that exist, where nodes are registered too
    tags             beyond those of the provider block
    """

    arch: str = ""
    image: str | Mapping[str, Any] = ""
    root: Mapping[str, Any] = field(factory=dict)
    volumes: tuple[Any, ...] = ()
    profile: str = ""
    placement: str = ""
    spot: bool | float = False
    elastic_ip: bool = False
    security_groups: tuple[str, ...] = ()
    hop_limit: int = 1
    targets: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Volume:
    """A disk of a machine.

    size_gib    in GiB; 0 for that of the image or snapshot
    type        `gp3`, `io2`, `st1` …
    iops, throughput  where the type takes them; throughput in MiB/s
    key         id, alias or ARN of a key of KMS; the account's own where it is empty
    device      such as `/dev/sdf`; of the root disk the image's, where that is not `/dev/xvda`
    snapshot    what it begins with
    keep        whether it outlives its machine, as an object of its own; not for the root disk
    """

    size_gib: int = 0
    type: str = "gp3"
    iops: int = 0
    throughput: int = 0
    encrypted: bool = True
    key: str = ""
    device: str = ""
    snapshot: str = ""
    keep: bool = False


_CONNECTING = frozenset(
    {"region", "profile", "assume_role", "instance_role", "endpoint_url", "endpoints", "in_flight", "per_second"}
)
"""What only connections need; it may hold what is not known before it is made."""


def settings_of(block: Mapping[str, Value]) -> AwsSettings:
    """The settings of a provider block that shape a design, checked; raises ProvError."""
    shaping = Schema.of(AwsSettings).fields.keys() - _CONNECTING
    given = {name: _plain(value) for name, value in block.items() if name in shaping}
    settings = written(AwsSettings, given, wrong)
    _one_of("nodes", settings.nodes, ("public", "private"))
    _one_of("nat", settings.nat, ("one", "each", "none"))
    _one_of("dial", settings.dial, ("", "public", "private"))
    for name in ("operators", "node_ports"):
        for cidr in getattr(settings, name):
            as_cidr(name, cidr)
    for port in settings.peer_ports:
        ports_of(port)
    for rule in settings.outgoing:
        if not isinstance(rule, Mapping) or not {"ports", "to"} <= rule.keys() <= {"ports", "to", "for"}:
            raise wrong("outgoing: a rule is {ports: …, to: …, for: …}, such as {ports: tcp/443, to: 0.0.0.0/0}")
        ports_of(str(rule["ports"]))
        if not str(rule["to"]).startswith(_NO_CIDRS):
            as_cidr("outgoing", str(rule["to"]))
    _tags("tags", settings.tags)
    return settings


def options_of(given: Mapping[str, Value], pool: str) -> NodeOptions:
    """The options of a pool, checked; raises ProvError."""
    options = written(NodeOptions, given, lambda detail: wrong(f"{pool}: {detail}"))
    _tags(f"{pool}: tags", options.tags)
    if options.arch:
        _one_of(f"{pool}: arch", options.arch, ("amd64", "arm64"))
    return options


def wish(cls: type[T], given: Mapping[str, Any], what: str) -> T:
    """A mapping of the file as the class that describes it; raises ProvError for what it does not know."""
    return written(cls, given, lambda said: wrong(f"{what}.{said.replace('of this kind', 'that it knows')}"))


def ports_of(text: str) -> tuple[str, int, int]:
    """Protocol, first and last port of `tcp/6443`, `udp/1-9`, `icmp` or `all`; ports are -1 where there are none."""
    protocol, _, ports = text.partition("/")
    first, _, last = ports.partition("-")
    if protocol in ("icmp", "icmpv6", "all") and not ports:
        return "-1" if protocol == "all" else protocol, -1, -1
    if protocol not in ("tcp", "udp") or not first.isdigit() or not (last or first).isdigit():
        raise wrong(f"{text!r} names no ports; write them like tcp/6443, udp/8472 or tcp/30000-32767")
    return protocol, int(first), int(last or first)


def wrong(detail: str) -> ProvError:
    """Something in the provider block or a pool cannot be used."""
    return ProvError(
        "a setting of the aws provider is wrong",
        detail=detail,
        remedy="correct it; `prov providers aws` and the provider's README list what there is",
    )


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise wrong(f"{name} is {value!r}; use one of {', '.join(text for text in known if text)}")


_NO_CIDRS = ("sg-", "pl-", "self")
"""How else than as a CIDR a rule says whom it is about."""
_NOT_OF_FILES = ("aws:", "prov:")
"""Beginnings of tags that AWS and prov keep to themselves."""


def as_cidr(name: str, text: str) -> None:
    """Raises ProvError where a text is no CIDR in the form in which EC2 takes it."""
    try:
        net = ipaddress.ip_network(text)
    except ValueError as err:
        raise wrong(f"{name}: {err}; write it like 203.0.113.7/32") from None
    if "/" not in text:
        raise wrong(f"{name}: {text} has no length; write it as {net}")


def _tags(name: str, tags: Mapping[str, str]) -> None:
    for key in tags:
        if key == "Name":
            raise wrong(f"{name}: Name is the tag by which AWS shows things, and each has the name of its own there")
        if key.startswith(_NOT_OF_FILES):
            raise wrong(f"{name}: {key} begins with what AWS and prov keep for tags of their own; call it otherwise")


def _plain(value: Value) -> Value:
    """A setting without the places it came from; the design takes what is known when it is planned only."""
    for _, leaf in leaves(value):
        if isinstance(leaf, Ref | Call):
            raise wrong("what shapes the design must be known when it is planned, and an output of a resource is not")
    return strip_origins(value)
