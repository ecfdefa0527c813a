"""From a cluster file to everything a verb needs."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from attrs import frozen

from provisioner.cluster.compose import compose
from provisioner.cluster.tables import with_tables
from provisioner.cluster.topology import moves, topology_of
from provisioner.engine.clients import Clients
from provisioner.engine.executor import Executor, Threads
from provisioner.errors import InputError
from provisioner.graph.resources import ResourceGraph
from provisioner.model.state import LockInfo, State
from provisioner.model.value import has_sealed
from provisioner.plugins.registry import Registry
from provisioner.spec.load import load
from provisioner.spec.name import plain_name
from provisioner.spec.schema import ClusterSpec
from provisioner.state.identity import find_identity, identity_source, identity_to_open
from provisioner.state.sqlite_store import SqliteStore
from provisioner.state.values import unsealer


@frozen
class World:
    """What is handed in from outside: environment, clock, where calls run, and a way to tell a person something.

    `wait` lets some seconds pass, which only reading for a plan needs.
    """

    environ: Mapping[str, str]
    now: Callable[[], datetime]
    tell: Callable[[str], None]
    person: bool
    """Whether somebody sits at a terminal."""
    executor: Callable[[], Executor] = Threads
    wait: Callable[[float], None] = time.sleep


@frozen
class Project:
    """A cluster file with its state and the installed providers."""

    spec: ClusterSpec
    store: SqliteStore
    registry: Registry
    world: World

    def look(self) -> State:
        """What is on record, for those who only look: without an identity, secrets stay sealed."""
        shut = find_identity(self.world.environ) is None
        state = self.store.load(shut=shut)
        if shut and _has_sealed(state):
            self.world.tell("there is no age identity: what is sealed is neither compared nor shown")
        return state

    def graph(self, state: State) -> ResourceGraph:
        """What the file wants, with what was chosen at birth."""
        topology, bindings = topology_of(self.spec, bindings_of(state))
        return compose(self.spec, topology, bindings, self.registry)

    def refuse_moves(self, state: State) -> None:
        """Raises InputError where the file asks for what no plan can do to a cluster that stands."""
        found = moves(self.spec, bindings_of(state))
        if found:
            raise InputError(found)

    def clients(self, graph: ResourceGraph) -> Clients:
        """Connections for one command."""
        return Clients(self.registry, graph.providers)

    def versions(self, graph: ResourceGraph) -> dict[str, str]:
        """The version of every provider type in use."""
        return {type_: self.registry.version(type_) for type_ in sorted({u.type for u in graph.providers.values()})}

    def lock_info(self, doing: str) -> LockInfo:
        """Who we are, for others who find the state locked."""
        return lock_info(self.world, doing)


def open_project(file: Path, state: Path | None, variables: Mapping[str, str], world: World) -> Project:
    """Reads the file; raises InputError with every problem in it. The state is not touched yet."""
    registry = Registry.installed()
    unseal = unsealer(world.environ)
    spec = load(file, variables=variables, environ=world.environ, unseal=unseal)
    spec = with_tables(spec, registry, world.environ, unseal)
    store = SqliteStore(
        state or default_state(file, spec.name),
        spec.name,
        identity_to_open(world.environ),
        for_new=identity_source(world.environ, person=world.person, tell=world.tell),
    )
    return Project(spec, store, registry, world)


def open_state(file: Path, state: Path | None, variables: Mapping[str, str], world: World) -> SqliteStore:
    """The state alone, for which the cluster file need not be complete, and not be there if the state is named."""
    identity = identity_to_open(world.environ)
    if state is not None:
        return SqliteStore(state, None, identity)
    name = plain_name(file)
    if name is not None:
        return SqliteStore(default_state(file, name), name, identity)
    return open_project(file, None, variables, world).store


def lock_info(world: World, doing: str) -> LockInfo:
    """Who we are and what we are at."""
    since = world.now().isoformat(timespec="seconds")
    return LockInfo(_user(), socket.gethostname(), os.getpid(), since, doing)


def default_state(file: Path, cluster: str) -> Path:
    """`.prov/NAME.db` beside the file."""
    return file.parent / ".prov" / f"{cluster}.db"


def bindings_of(state: State) -> Mapping[str, str]:
    """Choices made at birth bind what stands; once nothing does, a new birth may choose anew."""
    return state.bindings if state.entries else {}


def _has_sealed(state: State) -> bool:
    """Whether anything of a state could not be opened."""
    entries = (*state.entries.values(), *state.deposed.values())
    return has_sealed(state.outputs) or any(has_sealed(part) for e in entries for part in (e.applied, e.outputs))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
