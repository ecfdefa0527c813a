"""The ground on which runs are killed: one laboratory, and what must be true in it at which moment."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from typing import Any

from attrs import define, frozen
from crash.run import KILLED, Ended, Runner
from crash.scenarios import Scenario, Shape
from fakes.lab import Lab
from prov_sim.control import Control
from prov_sim.place import place_of

from provisioner.model.address import Address
from provisioner.model.state import Entry, State
from provisioner.model.value import Value, reveal
from provisioner.state.identity import find_identity
from provisioner.state.sqlite_store import SqliteStore

SECRETS = Address("talos.secrets", "cluster")


class Broken(AssertionError):
    """Something is not as it must be after a kill."""


@frozen
class Passage:
    """One passage of a seam, under all the names it goes by."""

    names: tuple[str, ...]


@define
class Ground:
    """A laboratory in which clusters stand; every run in it may be killed at a point."""

    lab: Lab
    runner: Runner
    standing: Shape | None = None
    bootstraps: int = 1
    """How often the standing cluster's etcd was born; more than once only where loss of data was allowed."""

    # runs

    def trace(self, scenario: Scenario) -> list[Passage]:
        """The points of the scenario's run, in the order in which it passed them; it is run to its end."""
        self._begin(scenario)
        file = self.lab.folder / "trace"
        file.unlink(missing_ok=True)
        ended = self.runner.run(*self._command(scenario.to), PROV_CRASH_TRACE=str(file))
        if ended.code != 0:
            raise Broken(f"an undisturbed run of {scenario.name} {_how(ended)}")
        self.standing = scenario.to
        self.check()
        return [Passage(tuple(json.loads(line))) for line in file.read_text().splitlines()]

    def kill(self, scenario: Scenario, *points: str) -> bool:
        """Kills the scenario's run at the first point and the run after it at the next; then one goes to its end.

        False where a point was not passed this time; the scenario is at its end all the same. Raises Broken.
        """
        self._begin(scenario)
        secrets = self.secrets()
        hit = True
        for attempt, point in enumerate(points):
            target = scenario.to if attempt == 0 else scenario.then
            ended = self.runner.run(*self._command(target), PROV_CRASH_AT=point)
            if ended.code not in (0, KILLED):
                raise Broken(f"the run that is to be killed {_how(ended)}")
            hit = hit and ended.code == KILLED
            self.check_interrupted(secrets)
            secrets = secrets or self.secrets()
        self._go(scenario.then, *(f"--allow={danger}" for danger in scenario.allow))
        self.standing = scenario.then
        if scenario.allow:
            self.bootstraps = min(self.bootstraps + 1, self._births())
        self.check()
        if scenario.then is not None and not scenario.allow and secrets not in (None, self.secrets()):
            raise Broken("the cluster has other secrets than before")
        return hit

    def reach(self, shape: Shape | None) -> None:
        """Brings the laboratory to a shape, undisturbed."""
        if self.standing is shape:
            return
        if self.standing is not None and (shape is None or not _leads_to(self.standing, shape)):
            self._go(None)
            self.standing, self.bootstraps = None, 1
        if shape is not None:
            self._go(shape)
            self.standing = shape

    def _begin(self, scenario: Scenario) -> None:
        self.reach(scenario.at)
        if scenario.at is None:
            self.bootstraps = 1
            shutil.rmtree(self.lab.folder / ".prov", ignore_errors=True)
        if scenario.accident:
            what, machine = scenario.accident
            self.lab.prov("sim", "fault", what, machine)

    def _go(self, shape: Shape | None, *options: str) -> None:
        ended = self.runner.run(*self._command(shape), *options)
        if ended.code != 0:
            raise Broken(f"the run afterwards {_how(ended)}")

    def _command(self, shape: Shape | None) -> tuple[str, ...]:
        if shape is None:
            return "destroy", "--yes"
        self.lab.write(dict(shape.document))
        return "apply", "--yes"

    # what must be true

    def check_interrupted(self, secrets: Value) -> None:
        """Right after a kill: what exists is on record by its key, once; recorded secrets are what they were."""
        state, world = self.state(), self.world()
        known = {entry.key for entry in _entries(state)}
        keys = Counter(thing["key"] for thing in [*world["machines"], *world["balancers"]])
        if orphans := sorted(keys.keys() - known):
            raise Broken(f"orphans right after the kill: {orphans}")
        if doubles := sorted(key for key, count in keys.items() if count > 1):
            raise Broken(f"made twice right after the kill: {doubles}")
        if [domain for domain in world["clusters"] if domain["bootstraps"] > self.bootstraps]:
            raise Broken("bootstrapped again right after the kill")
        if secrets is not None and self.secrets() not in (None, secrets):
            raise Broken("the cluster has other secrets right after the kill")

    def check(self) -> None:
        """After the run that went to its end: exactly what is wanted exists, all of it is on record, all is well."""
        state, world = self.state(), self.world()
        things = [*world["machines"], *world["balancers"]]
        recorded = _recorded(state)
        erased = world.get("erased", ())
        _expect("disks erased twice", [], [one for one in erased if one["times"] > 1])
        _expect("machines taken away with data on their disks", [], [*world.get("taken_full", ())])
        _expect("objects by key and id", recorded, sorted((thing["key"], thing["id"]) for thing in things))
        if self.standing is None:
            _expect("entries on record", [], _entries(state))
            _expect("what exists", [], things)
            return
        self._check_cluster(self.standing, world)
        _expect("entries in flight", [], _in_flight(state))
        for name in ("kubeconfig", "talosconfig"):
            _expect(f"a {name}", True, (self.lab.folder / ".prov" / f"lab.{name}").exists())
        plan = self.runner.run("plan")
        _expect(f"exit code of plan\n{plan.text}", 0, plan.code)

    def _check_cluster(self, shape: Shape, world: dict[str, Any]) -> None:
        machines = world["machines"]
        nodes = [f"control-{n + 1}" for n in range(shape.control)] + [
            f"workers-{n + 1}" for n in range(shape.workers)
        ]
        _expect("machines", nodes, sorted(machine["name"] for machine in machines))
        _expect("machines that are not ready", [], [m["name"] for m in machines if not m["ready"]])
        _expect("machines that wait for a boot", [], [m["name"] for m in machines if m["waits_for_boot"]])
        _expect("balancers", ["api"], [balancer["name"] for balancer in world["balancers"]])
        _expect("clusters", 1, len(world["clusters"]))
        (domain,) = world["clusters"]
        _expect("bootstraps", self.bootstraps, domain["bootstraps"])
        living = [etcd for etcd in domain["etcd"] if any(member["up"] for member in etcd["members"])]
        _expect("etcd clusters", (1, 1), (len(living), len(domain["etcd"]) - self.bootstraps + 1))
        (etcd,) = living
        _expect("etcd members", nodes[: shape.control], sorted(member["name"] for member in etcd["members"]))
        _expect("Kubernetes nodes", nodes, sorted(node["name"] for node in etcd["nodes"]))
        _expect("etcd is healthy", True, etcd["healthy"])

    def _births(self) -> int:
        return sum(domain["bootstraps"] for domain in self.world()["clusters"])

    def world(self) -> dict[str, Any]:
        """What really exists, as the simulator's daemon has it."""
        control = Control(place_of("default", self.lab.environ))
        return control.ask_if_running("show") or {"machines": [], "balancers": [], "clusters": []}

    def state(self) -> State | None:
        """What is on record; None before there is a state."""
        store = SqliteStore(self.lab.folder / ".prov/lab.db", "lab", self._identity)
        if not store.exists:
            return None
        try:
            return store.load()
        finally:
            store.close()

    def secrets(self) -> Value:
        """The secrets on record, opened; None before they are there."""
        state = self.state()
        entry = state.entries.get(SECRETS) if state else None
        return reveal(entry.outputs) if entry is not None and entry.outputs else None

    def _identity(self):  # type: ignore[no-untyped-def]
        return find_identity(self.lab.environ)


def _leads_to(standing: Shape, shape: Shape) -> bool:
    """Whether an edit leads from one shape to the other: the way of delivery is chosen at birth."""
    there, wanted = (s.document["providers"]["sim"] for s in (standing, shape))
    return bool(there == wanted) and abs(standing.control - shape.control) <= 1


def _how(ended: Ended) -> str:
    return f"ends with {ended.code}\n{ended.text}" if ended.code is not None else f"does not end\n{ended.text}"


def _in_flight(state: State | None) -> list[Address]:
    return [entry.address for entry in _entries(state) if entry.in_flight or entry.deposed]


def _entries(state: State | None) -> list[Entry]:
    return [*state.entries.values(), *state.deposed.values()] if state else []


def _recorded(state: State | None) -> list[tuple[str, str | None]]:
    made = [entry for entry in _entries(state) if entry.address.kind in ("sim.machine", "sim.balancer")]
    return sorted((entry.key, entry.id) for entry in made)


def _expect(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise Broken(f"{what}: expected {expected}, found {found}")
