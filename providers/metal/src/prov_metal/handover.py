"""Handing a host its configuration where it waits for it in maintenance.

    waits ──► console: its key stands there? ──► that key is proven to us ──► handed over ──► installs itself
          └─► network: the facts of its BMC? ───► somebody says so ─────────► handed over ──┘

On the rung `console` one listens from before the machine is switched on. A run that comes too late to have heard the
key starts the machine once more: it has installed nothing, since nobody gave it a configuration.

Somebody else at the host's address is waited out, not believed: its deadline ends that, and says who was there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from prov_metal.bmc.driver import Facts, HasConsole
from prov_metal.console import key_on
from prov_metal.kinds.meeting import CHASSIS
from prov_metal.kinds.props import HostJob
from prov_metal.trust import carried
from prov_metal.ways.way import Trip
from provisioner.sdk import Fatal, OperatorNeeded, Pending, ProviderError, Retry

POLL_S = 5.0
PATIENCE = timedelta(seconds=60)
"""How long a machine may take to leave maintenance before it is handed its configuration once more."""


class Answers(Protocol):
    """What somebody in maintenance says of himself."""

    @property
    def uuid(self) -> str: ...
    @property
    def serial(self) -> str: ...
    @property
    def macs(self) -> tuple[str, ...]: ...


def is_due(trip: Trip) -> bool:
    """Whether the host gets its configuration from us when it waits for it, rather than with what it boots."""
    return carried(trip.wanted.trust, trip.way) == "api"


def listen(trip: Trip) -> None:
    """Begins to listen to the host's console, where its key will stand; before it is switched on."""
    if is_due(trip) and trip.wanted.trust == "console":
        trip.client.listening(trip.wanted.host, trip.ctx.now())
        _console(trip).tail()


def deliver(job: HostJob, trip: Trip, facts: Facts) -> Pending:
    """One look at a machine that boots without a configuration, and at most one thing done about it.

    The phase stays, or is the first one again where the machine has to be started once more.
    """
    if trip.wanted.trust == "network":
        return _to_who_says_so(job, trip, facts)
    key = key_on(_console(trip).tail())
    if key:
        return _to_the_key(job, trip, key)
    heard_since = trip.client.listening(trip.wanted.host, trip.ctx.now())
    if heard_since > datetime.fromisoformat(job.memo["since"]) and "handed_at" not in job.memo and _waits(trip):
        memo = {name: job.memo[name] for name in ("way", CHASSIS) if name in job.memo} | {"again": "yes"}
        return Pending(id=job.id, memo=memo, after_s=0.0, note="starts again: nobody listened when it told its key")
    return _wait(job, "waits for its key on the console")


def _to_the_key(job: HostJob, trip: Trip, key: str) -> Pending:
    from provisioner.talos.api import maintenance  # loads what takes long to load, and few hosts need it

    address = trip.wanted.address
    try:
        stage = maintenance.facts(address, key).stage
        if stage != "maintenance" or _handed_lately(job, trip):
            return _wait(job, "takes over its configuration" if "handed_at" in job.memo else f"is {stage}")
        maintenance.hand_over(address, str(trip.wanted.user_data.reveal()), key)
    except maintenance.AnotherKey as err:
        return _wait(job, f"waits for the machine with the key on its console; {err.detail}")
    except ProviderError as err:
        return _after(err, job, trip)
    return _handed(job, trip, "was handed its configuration, by its key")


def _to_who_says_so(job: HostJob, trip: Trip, facts: Facts) -> Pending:
    from provisioner.talos.api import maintenance

    address = trip.wanted.address
    try:
        found = maintenance.facts_of_anyone(address)
        if found.stage != "maintenance" or _handed_lately(job, trip):
            return _wait(job, "takes over its configuration" if "handed_at" in job.memo else f"is {found.stage}")
        if wrong := unlike(found, facts, trip.wanted.macs):
            return _wait(job, f"waits for the machine of its BMC; {address}: {wrong}")
        maintenance.hand_over_to_anyone(address, str(trip.wanted.user_data.reveal()))
    except ProviderError as err:
        return _after(err, job, trip)
    return _handed(job, trip, "was handed its configuration, by its facts")


def unlike(found: Answers, facts: Facts, macs: tuple[str, ...]) -> str:
    """How who answers differs from the machine of the BMC; empty where all that both tell is the same.

    `macs` are those of the inventory.
    """
    told = [
        ("UUID", found.uuid.lower(), facts.uuid.lower(), facts.uuids),
        ("serial number", found.serial.lower(), facts.serial.lower(), {facts.serial.lower()}),
    ]
    known = [fact for fact in told if fact[1] and fact[2]]
    for name, theirs, ours, alike in known:
        if theirs not in alike:
            return f"the {name} there is {theirs}, and its BMC says {ours}"
    if macs and found.macs and not set(macs) & set(found.macs):
        return f"none of its network cards is there, but {', '.join(found.macs)}"
    if not known and not (macs and found.macs):
        return "nothing can be compared: its BMC tells neither UUID nor serial number, and its row no `macs`"
    return ""


def _waits(trip: Trip) -> bool:
    """Whether somebody at the host's address is in maintenance; he is told nothing."""
    from provisioner.talos.api import maintenance

    try:
        return maintenance.facts_of_anyone(trip.wanted.address).stage == "maintenance"
    except ProviderError:
        return False


def _console(trip: Trip) -> HasConsole:
    console = trip.client.console(trip.wanted)
    if console is None:
        raise OperatorNeeded(
            "a host has no console to read its key on",
            detail=f"{trip.wanted.host}: its trust is `console`, and its BMC offers none",
            remedy="add `console: tcp://HOST:PORT` to its row of the inventory",
        )
    return console


def _after(err: ProviderError, job: HostJob, trip: Trip) -> Pending:
    """What an error of the machine's API means: most pass, and a refusal does not."""
    if isinstance(err, Retry):
        handed = "handed_at" in job.memo
        return _wait(job, "takes over its configuration" if handed else f"waits for it to answer ({err.detail})")
    if isinstance(err, Fatal):
        raise Fatal(
            "a host refuses its configuration",
            detail=f"{trip.wanted.host}: {err.detail}",
            remedy="correct what it names, usually in a patch, and apply again",
        ) from None
    raise err


def _handed_lately(job: HostJob, trip: Trip) -> bool:
    handed = job.memo.get("handed_at")
    return handed is not None and trip.ctx.now() - datetime.fromisoformat(handed) < PATIENCE


def _handed(job: HostJob, trip: Trip, note: str) -> Pending:
    memo = {**job.memo, "handed_at": trip.ctx.now().isoformat()}
    return Pending(id=job.id, phase=job.phase, memo=memo, after_s=POLL_S, note=note)


def _wait(job: HostJob, note: str) -> Pending:
    return Pending(id=job.id, phase=job.phase, memo=job.memo, after_s=POLL_S, note=note)
