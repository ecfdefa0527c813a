"""`qemu.address`: the addresses of a machine, held for it from before it is made until after it is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from attrs import asdict, evolve, frozen

from prov_qemu.computer import Computer
from prov_qemu.errors import as_provider_errors
from prov_qemu.kinds.network import KIND as NETWORK
from prov_qemu.kinds.network import gone
from prov_qemu.kinds.reading import read_all, removed, shown, wanted_of
from prov_qemu.network.addresses import free_number, inside, mac_of, number_of
from prov_qemu.records import Record
from provisioner.sdk import Answer, Context, Done, Job, OperatorNeeded, Reading, Seen, output, prop

KIND: Final = "address"


@frozen(kw_only=True)
class AddressProps:
    """The addresses of one machine in a network of its cluster; `network` is the network's name."""

    cluster: str = prop(immutable=True)
    name: str = prop(immutable=True)
    network: str = prop(immutable=True)


@frozen
class AddressOutputs:
    """`ip` is for the other machines, `host` for this computer."""

    id: str = output()
    ip: str = output()
    host: str = output()


class AddressKind:
    """Addresses; they are there as soon as they are asked for."""

    props: ClassVar[type[Any]] = AddressProps
    outputs: ClassVar[type[Any]] = AddressOutputs

    def read(
        self, client: Computer, jobs: Sequence[Job[AddressProps, AddressOutputs]], ctx: Context
    ) -> Mapping[str, Reading]:
        """One look for all jobs."""
        return read_all(client, KIND, jobs, _seen)

    def create(self, client: Computer, job: Job[AddressProps, AddressOutputs], ctx: Context) -> Answer:
        """Takes the first number that no machine of the network has."""
        wanted: AddressProps = wanted_of(job)
        new = Record(KIND, wanted.cluster, wanted.name, job.key, job.lineage, asdict(wanted))
        with as_provider_errors():
            record = client.records.take(new, lambda new: _with_number(client, new))
        return Done(_outputs(record))

    def update(self, client: Computer, job: Job[AddressProps, AddressOutputs], ctx: Context) -> Answer:
        """Nothing of an address changes in place."""
        assert job.outputs is not None, "only what was made is updated"
        return Done(job.outputs)

    def delete(self, client: Computer, job: Job[AddressProps, AddressOutputs], ctx: Context) -> Answer:
        """Frees the number."""
        return removed(client, KIND, job)


def _with_number(client: Computer, new: Record) -> Record:
    network = client.records.find(NETWORK, new.cluster, new.props["network"])
    if network is None:
        raise gone("the network of the address")
    others = [record for record in client.records.all(KIND) if record.cluster == new.cluster]
    taken = {number_of(record.fact("ip")) for record in others if record.props["network"] == network.name}
    number = free_number(taken)
    if number is None:
        raise OperatorNeeded(
            "the network has no more addresses",
            detail=f"{len(taken)} machines have one each",
            remedy="make the cluster smaller, or a second one",
        )
    facts = {
        "ip": inside(network.props["subnet"], number),
        "host": inside(network.fact("here"), number),
        "subnet": network.props["subnet"],
        "mac": mac_of(new.key),
    }
    return evolve(new, facts=facts)


def _outputs(record: Record) -> AddressOutputs:
    return AddressOutputs(record.id, record.fact("ip"), record.fact("host"))


def _seen(record: Record) -> Seen:
    return Seen(shown(record, ("cluster", "name", "network")), asdict(_outputs(record)))
