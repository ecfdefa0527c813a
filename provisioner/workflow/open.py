"""From a cluster file to everything a verb needs."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from attrs import frozen

from provisioner.cluster.compose import compose
from provisioner.cluster.topology import moves, topology_of
from provisioner.engine.clients import Clients
from provisioner.engine.executor import Executor, Threads
from provisioner.errors import InputError
from provisioner.graph.resources import ResourceGraph
from provisioner.model.state import LockInfo, State
from provisioner.plugins.registry import Registry
from provisioner.spec.load import load
from provisioner.spec.schema import ClusterSpec
from provisioner.state.identity import find_identity, identity_source
from provisioner.state.sqlite_store import SqliteStore


@frozen
class World:
    """What is handed in from outside: environment, clock, where calls run, and a way to tell a person something."""

    environ: Mapping[str, str]
    now: Callable[[], datetime]
    tell: Callable[[str], None]
    person: bool
    """Whether somebody sits at a terminal."""
    executor: Callable[[], Executor] = Threads


@frozen
class Project:
    """A cluster file with its state and the installed providers."""

    spec: ClusterSpec
    store: SqliteStore
    registry: Registry
    world: World

    def look(self) -> State:
        """What is on record, for those who only look: without an identity, secrets stay sealed."""
        return self.store.load(shut=find_identity(self.world.environ) is None)

    def graph(self, state: State) -> ResourceGraph:
        """What the file wants, with what was chosen at birth."""
        topology, bindings = topology_of(self.spec, _binding(state))
        return compose(self.spec, topology, bindings, self.registry)

    def refuse_moves(self, state: State) -> None:
        """Raises InputError where the file asks for what no plan can do to a cluster that stands."""
        found = moves(self.spec, _binding(state))
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
    spec = load(file, variables=variables, environ=world.environ)
    store = SqliteStore(
        state or default_state(file, spec.name),
        spec.name,
        identity_source(world.environ, person=world.person, tell=world.tell),
    )
    return Project(spec, store, Registry.installed(), world)


def open_state(file: Path, state: Path | None, variables: Mapping[str, str], world: World) -> SqliteStore:
    """The state alone. One that is named is opened whatever the cluster file says, or if there is none."""
    if state is None:
        return open_project(file, None, variables, world).store
    return SqliteStore(state, None, identity_source(world.environ, person=False, tell=world.tell))


def lock_info(world: World, doing: str) -> LockInfo:
    """Who we are and what we are at."""
    since = world.now().isoformat(timespec="seconds")
    return LockInfo(_user(), socket.gethostname(), os.getpid(), since, doing)


def default_state(file: Path, cluster: str) -> Path:
    """`.prov/NAME.db` beside the file."""
    return file.parent / ".prov" / f"{cluster}.db"


def _binding(state: State) -> Mapping[str, str]:
    """Choices made at birth bind what stands; once nothing does, a new birth may choose anew."""
    return state.bindings if state.entries else {}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
