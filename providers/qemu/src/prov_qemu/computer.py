"""This computer, as the verbs use it: records, processes, disks, and what it has of memory, room and programs.

It is the client of all kinds. Tests hand in another one, with the same records and with processes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from prov_qemu.facts import Facts, OwnFacts
from prov_qemu.image.disks import Disks, OwnDisks
from prov_qemu.machine.accelerator import Accelerators, OwnAccelerators
from prov_qemu.machine.monitor import Monitors, OwnMonitors
from prov_qemu.place import Place, place_of
from prov_qemu.processes import OwnProcesses, Processes
from prov_qemu.records import Records
from provisioner.sdk import Downloads, cache_folder


@frozen
class Computer:
    """The client: safe to share among threads, and nothing is opened before it is used."""

    place: Place
    records: Records
    processes: Processes
    monitors: Monitors
    disks: Disks
    accelerators: Accelerators
    facts: Facts
    downloads: Downloads

    @classmethod
    def here(cls, environment: Mapping[str, str]) -> Computer:
        """This computer, for the user we are."""
        return cls.at(place_of(environment), Downloads(cache_folder(environment)))

    @classmethod
    def at(cls, place: Place, downloads: Downloads, witness: Callable[[str], None] = lambda what: None) -> Computer:
        """This computer, with everything below a place; `witness` is told of each "look" and "change"."""
        return cls(
            place,
            Records(place, witness),
            OwnProcesses(witness),
            OwnMonitors(),
            OwnDisks(witness),
            OwnAccelerators(place),
            OwnFacts(),
            downloads,
        )
