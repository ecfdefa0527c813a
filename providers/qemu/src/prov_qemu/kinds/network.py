"""`qemu.network`: what the machines of a cluster are connected by."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from attrs import asdict, evolve, frozen

from prov_qemu.computer import Computer
from prov_qemu.errors import as_provider_errors
from prov_qemu.kinds.reading import read_all, record_of, removed, shown, wanted_of
from prov_qemu.network.addresses import free_loopback
from prov_qemu.records import Record
from provisioner.sdk import (
    Answer,
    Context,
    Done,
    FieldChange,
    Job,
    OperatorNeeded,
    Pending,
    Reading,
    Seen,
    output,
    prop,
)

KIND: Final = "network"


@frozen(kw_only=True)
class NetworkProps:
    """A network of one cluster.

    subnet    the machines' own addresses, a /24 such as 10.5.0.0/24; no other network need care about it
    bridge    a bridge of this computer that carries it, which somebody else made; empty for a switch of our own
    resolver  the name server of machines on a bridge; empty for the gateway
    link      "up", or "down" for a network whose switch does not run, or whose bridge is gone
    """

    cluster: str = prop(immutable=True)
    name: str = prop(immutable=True)
    subnet: str = prop(immutable=True, default="10.5.0.0/24")
    bridge: str = prop(immutable=True, default="")
    resolver: str = prop(birth=True, default="")
    link: str = prop(default="up")


@frozen
class NetworkOutputs:
    """`here` is the /24 at which this computer reaches the machines: one of its loopback, on a bridge their own."""

    id: str = output()
    name: str = output()
    here: str = output()


class NetworkKind:
    """Networks without root: a switch of our own, and for each machine a way out of its own."""

    props: ClassVar[type[Any]] = NetworkProps
    outputs: ClassVar[type[Any]] = NetworkOutputs

    def read(
        self, client: Computer, jobs: Sequence[Job[NetworkProps, NetworkOutputs]], ctx: Context
    ) -> Mapping[str, Reading]:
        """One look for all jobs."""
        return read_all(client, KIND, jobs, lambda record: _seen(client, record))

    def create(self, client: Computer, job: Job[NetworkProps, NetworkOutputs], ctx: Context) -> Answer:
        """Puts the network on record with addresses that no other has, then starts its switch."""
        wanted: NetworkProps = wanted_of(job)
        props = {name: value for name, value in asdict(wanted).items() if name != "link"}
        new = Record(KIND, wanted.cluster, wanted.name, job.key, job.lineage, props)
        with as_provider_errors():
            record = client.records.take(new, lambda new: _with_addresses(client, new))
            return _reach(client, record, wanted.link)

    def update(self, client: Computer, job: Job[NetworkProps, NetworkOutputs], ctx: Context) -> Answer:
        """Starts the switch where it does not run, or ends it."""
        with as_provider_errors():
            record = record_of(client, KIND, job)
            if record is None:
                raise gone("the network")
            return _reach(client, record, wanted_of(job).link)

    def delete(self, client: Computer, job: Job[NetworkProps, NetworkOutputs], ctx: Context) -> Answer:
        """Ends the switch and removes all there is of the network."""
        return removed(client, KIND, job, "switch")

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        """What is changed in place is whether the switch runs."""
        return "connects the machines again" if changes[0].after == "up" else "disconnects the machines"


def gone(what: str) -> OperatorNeeded:
    """The error for an object that is not there any more."""
    return OperatorNeeded(f"{what} is gone", detail="its folder has no record of it", remedy="plan again")


def switch_command(folder: Path) -> list[str]:
    """The command of a network's switch."""
    return [sys.executable, "-P", "-m", "prov_qemu.network.switch", str(folder)]


def _with_addresses(client: Computer, new: Record) -> Record:
    if new.props["bridge"]:
        return evolve(new, facts={"here": new.props["subnet"]})
    taken = {record.fact("here") for record in client.records.all(KIND)}
    here = free_loopback(f"{os.getuid()} {client.place.data} {new.cluster} {new.name}", taken)
    if here is None:
        raise OperatorNeeded(
            "this computer has no more addresses for networks",
            detail=f"{len(taken)} networks have one each",
            remedy="destroy clusters that are no longer used; `prov qemu list` shows them",
        )
    return evolve(new, facts={"here": here})


def _reach(client: Computer, record: Record, link: str) -> Answer:
    if record.props["bridge"]:
        _require_bridge(client, record.props["bridge"])
        return Done(NetworkOutputs(record.id, record.name, record.fact("here")))
    folder = client.records.folder(record)
    alive = client.processes.alive(folder)
    if link == "up" and not alive:
        client.processes.start(folder, switch_command(folder), folder)
        return Pending(id=record.id, after_s=0.1, note="waits for the switch")
    if link != "up" and alive:
        client.processes.kill(folder)
        return Pending(id=record.id, after_s=0.1, note="waits for the switch to end")
    return Done(NetworkOutputs(record.id, record.name, record.fact("here")))


def _require_bridge(client: Computer, bridge: str) -> None:
    if not client.facts.interface(bridge):
        raise OperatorNeeded(
            "there is no such bridge on this computer",
            detail=f"{bridge!r}",
            remedy=f"make it, as root: `ip link add {bridge} type bridge`, with an address; then run prov again",
        )


def _seen(client: Computer, record: Record) -> Seen:
    bridge = record.props["bridge"]
    up = client.facts.interface(bridge) if bridge else client.processes.alive(client.records.folder(record))
    link = "up" if up else "down"
    outputs = {"id": record.id, "name": record.name, "here": record.fact("here")}
    return Seen({**shown(record, ("cluster", "name", "subnet", "bridge", "resolver")), "link": link}, outputs)
