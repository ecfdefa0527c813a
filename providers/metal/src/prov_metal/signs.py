"""Signs that a machine runs, whatever its BMC says of the power.

    its Talos API     answers with a certificate of the cluster, or in maintenance with the facts that its BMC tells
    the boot service  was asked by it; discs are left out where BMCs read them
    its console       goes on
    its BMC           says elsewhere that it is on (chassis, state, progress of the boot), and that place is known to
                      follow the power: it has said "off" in this process. On some BMCs they say "on" for ever.

A sign is new since the look before. What came before the BMC first said "off" contradicts nothing: a machine that
goes off says something until it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from prov_metal.bmc.driver import HasWitnesses
from prov_metal.boot.requests import Request
from prov_metal.handover import unlike
from prov_metal.looks import Marks
from provisioner.sdk import ProviderError

if TYPE_CHECKING:
    from prov_metal.ways.way import Trip

T = TypeVar("T")
PATIENCE_S = 2.0
"""How long the Talos API of a machine that is said to be off is waited for."""


def sign_of(trip: Trip, *, anew: bool) -> str:
    """What shows that the machine runs, as a sentence; empty where nothing does. Changes nothing, raises nothing.

    anew  its BMC says for the first time that it is off
    """
    host, looks = trip.wanted.host, trip.client.looks
    spoken, asked = looks.moved(host, _marks(trip), anew=anew)
    if spoken:
        return "its console goes on"
    if asked:
        return f"it asks for its {_requests(trip)[-1].what}"
    if there := _at_its_address(trip):
        return there
    witnesses = _witnesses(trip).items()
    against = [name for name, on in witnesses if looks.contradicts(host, name, on=on)]
    return f"{against[0]} says that it is on" if against else ""


def _marks(trip: Trip) -> Marks:
    console = trip.client.console(trip.wanted)
    requests = _requests(trip)
    last = (requests[-1].number, requests[-1].sent) if requests else (0, 0)
    return Marks(console.spoken() if console is not None else 0, last)


def _requests(trip: Trip) -> list[Request]:
    """What was granted to the host, without the pieces of a disc that its BMC reads for it."""
    discs = ("iso",) if trip.way in ("", "media") else ()
    none: list[Request] = []
    found = _quiet(lambda: trip.client.boot.requests(trip.wanted.host), none)
    return [request for request in found if request.status < 300 and request.what not in discs]


def _at_its_address(trip: Trip) -> str:
    wanted = trip.wanted
    match trip.client.shown(wanted.address, wanted.authority, PATIENCE_S).state:
        case "node":
            return f"a node of the cluster answers at {wanted.address}"
        case "maintenance" if trip.facts is not None and _is_it(trip):
            return f"Talos waits at {wanted.address} for a configuration, and tells the facts that its BMC tells"
    return ""


def _is_it(trip: Trip) -> bool:
    """Whether who is in maintenance at the host's address says that he is this machine."""
    from provisioner.talos.api import maintenance  # loads what takes long to load, and few hosts need it

    assert trip.facts is not None, "its BMC was asked first"
    try:
        return not unlike(maintenance.facts_of_anyone(trip.wanted.address), trip.facts, trip.wanted.macs)
    except ProviderError:
        return False


def _witnesses(trip: Trip) -> Mapping[str, bool]:
    bmc = trip.bmc
    return _quiet(bmc.witnesses, {}) if isinstance(bmc, HasWitnesses) else {}


def _quiet(look: Callable[[], T], without: T) -> T:
    """What a look gives; `without` where it cannot be had."""
    try:
        return look()
    except ProviderError:
        return without
