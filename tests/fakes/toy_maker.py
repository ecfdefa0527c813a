"""A toy provider that makes machines: a thing for each node, and one as the endpoint."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import define, frozen

from provisioner.conformance.toy import ToyProvider
from provisioner.sdk import Address, BootRefs, Design, Endpoint, Machine, Node, Ref, Resource, Slice, Value


@frozen
class NoOptions:
    """Pools say nothing beyond the common fields."""


@define
class ToyMaker(ToyProvider):
    """Machines in memory."""

    node_options: ClassVar[type[Any]] = NoOptions

    def endpoint(self, part: Slice) -> Endpoint:
        address = Address("toy.thing", "api")
        return Endpoint((Resource(address, part.instance, {"name": "api"}),), Ref(address, "address"))

    def design(self, part: Slice, boot: BootRefs) -> Design:
        machines = {node.name: self.machine(node) for node in part.nodes}
        resources = tuple(
            Resource(machines[node.name].address, part.instance, self.thing(node, part, boot)) for node in part.nodes
        )
        return Design(resources, machines)

    def machine(self, node: Node) -> Machine:
        address = Address("toy.thing", node.name)
        return Machine(address, Ref(address, "address"), Ref(address, "id"), "user_data")

    def thing(self, node: Node, part: Slice, boot: BootRefs) -> dict[str, Value]:
        return {"name": node.name, "label": node.zone, "seed": boot.config(node, self.machine(node))}
