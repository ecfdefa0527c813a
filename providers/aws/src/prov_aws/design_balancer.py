"""The endpoint of the Kubernetes API: a network balancer in front of the control planes.

Its target groups belong to the design of the machines, which register themselves; balancer and listeners are there
before the machines, since their configuration names the balancer.
"""

from __future__ import annotations

from attrs import evolve

from prov_aws.design_access import API, TALOS, TRUSTD, names
from prov_aws.design_network import Maker, Network, network_of
from prov_aws.settings import AwsSettings, BalancerWish, settings_of, wish
from provisioner.sdk import Address, Endpoint, Ref, Resource, Slice, Value

_WORDS = {API: "api", TALOS: "talos", TRUSTD: "trust"}


def ports(settings: AwsSettings) -> tuple[int, ...]:
    """What the balancer listens to."""
    wanted: BalancerWish = wish(BalancerWish, settings.balancer, "balancer")
    return (API, TRUSTD, TALOS) if wanted.talos_api else (API, TRUSTD)


def target_groups(part: Slice, settings: AwsSettings, network: Network) -> tuple[Resource, ...]:
    """A target group for each port, none where the file names the endpoint itself."""
    if part.topology.endpoint.text != "auto" or not any(node.role == "controlplane" for node in part.nodes):
        return ()
    maker = Maker(part.instance, part.topology.cluster, settings.tags)
    return tuple(
        maker.resource("aws.target_group", _name(part, port), {"network": network.id, "port": port})
        for port in ports(settings)
    )


def endpoint(part: Slice) -> Endpoint:
    """The balancer and what it listens to."""
    settings = settings_of(part.settings)
    wanted: BalancerWish = wish(BalancerWish, settings.balancer, "balancer")
    network = network_of(part, settings)
    maker = Maker(part.instance, part.topology.cluster, settings.tags)
    fixed = {zone: _address(maker, zone) for zone in network.feet} if wanted.fixed else {}
    balancer = _balancer(part, settings, wanted, maker, network)
    if fixed:
        # ids of subnets are not known yet, and keys of mappings cannot be; so addresses stand in the order of subnets
        balancer = evolve(
            balancer, props={**balancer.props, "addresses": tuple(Ref(one.address, "id") for one in fixed.values())}
        )
    listeners = tuple(
        maker.resource(
            "aws.listener",
            _name(part, port),
            {
                "balancer": Ref(balancer.address, "id"),
                "port": port,
                "target_group": Ref(Address("aws.target_group", _name(part, port)), "id"),
            },
        )
        for port in ports(settings)
    )
    return Endpoint((*fixed.values(), balancer, *listeners), Ref(balancer.address, "host"))


def _balancer(part: Slice, settings: AwsSettings, wanted: BalancerWish, maker: Maker, network: Network) -> Resource:
    props: dict[str, Value] = {
        "public": wanted.public,
        "subnets": tuple(network.feet.values()),
        "security_groups": (Ref(names(part.instance)["balancer"], "id"),),
        "cross_zone": wanted.cross_zone,
        "ipv6": settings.ipv6,
    }
    return maker.resource("aws.balancer", f"{part.instance}-api", props, *network.ways)


def _address(maker: Maker, zone: str) -> Resource:
    return maker.resource("aws.elastic_ip", f"{maker.instance}-api-{zone}", {})


def _name(part: Slice, port: int) -> str:
    return f"{part.instance}-{_WORDS[port]}"
