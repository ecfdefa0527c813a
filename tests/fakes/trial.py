"""The real workflow over toys, in one thread and no time, killed wherever a test says.

    trial = Trial(folder)
    trial.apply({"toy.thing/a": {"size": 2}})
    for point in trial.points(wanted): …

A *point* is a moment before or after a call of a provider, or before or after a commit. `Killed` stands for SIGKILL:
nothing catches it, and what goes on afterwards is a new process with the same cloud and the same state file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from attrs import define, evolve, field
from fakes import planning

from provisioner.conformance.inline import Inline
from provisioner.conformance.toy import Cloud, ToyProvider
from provisioner.engine.clients import Clients
from provisioner.graph.resources import ResourceGraph
from provisioner.model.event import Event
from provisioner.model.plan import Plan
from provisioner.model.state import Change, Fence, LockInfo, State
from provisioner.planner.build import PlanOptions
from provisioner.plugins.registry import Registry
from provisioner.state.memory_store import MemoryStore
from provisioner.state.sealed import Identity, new_identity
from provisioner.state.sqlite_store import SqliteStore
from provisioner.workflow.apply import Applied, apply
from provisioner.workflow.plan import observed, plan_for
from provisioner.workflow.sweep import Found, Swept, find, sweep

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
INFO = LockInfo("ada", "desk", 4711, START.isoformat(), "apply")
_ME = Identity(new_identity(), "the trial")


class Killed(BaseException):
    """The process is gone."""


@define
class Fuse:
    """Counts points, and kills at one of them."""

    at: int | None = None
    passed: int = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed - 1 == self.at:
            raise Killed


@define
class FusedStore:
    """A store with points around each commit."""

    store: SqliteStore | MemoryStore
    fuse: Fuse

    def commit(self, changes: Sequence[Change], fence: Fence) -> int:
        self.fuse.point()
        serial = self.store.commit(changes, fence)
        self.fuse.point()
        return serial

    def derive(self, purpose: str) -> str:
        return self.store.derive(purpose)

    def load(self) -> State:
        return self.store.load()

    def lock(self, info: LockInfo) -> AbstractContextManager[Fence]:
        return self.store.lock(info)

    def close(self) -> None:
        """What the end of a process does to a file; a state in memory stays."""
        if isinstance(self.store, SqliteStore):
            self.store.close()


@define
class FusedInline(Inline):
    """The executor of one thread, with points around each call."""

    fuse: Fuse = field(factory=Fuse)
    peak: int = 0
    """The most calls that were admitted at the same time."""

    def submit(self, call: Callable[[], Any]) -> None:
        def fused() -> Any:
            self.fuse.point()
            message = call()
            self.fuse.point()
            return message

        super().submit(fused)
        self.peak = max(self.peak, len(self._calls))


@define
class Trial:
    """A cloud and a state; every command is a process of its own. Without a folder the state is in memory."""

    folder: Path | None = None
    memory: MemoryStore = field(factory=lambda: MemoryStore("demo"))
    wanted: Mapping[str, Any] = field(factory=dict)
    """The file of the last apply."""
    cloud: Cloud = field(factory=Cloud)
    executor: FusedInline = field(factory=FusedInline)
    """That of the last command."""
    decided: Plan = field(default=None)
    """The plan that was applied last."""
    events: list[Event] = field(factory=list)
    chance: Random = field(factory=lambda: Random(0))
    seconds: float = 0.0

    def apply(
        self, wanted: Mapping[str, Any], *, fuse: Fuse | None = None, deadline_s: float = 600.0, **case: Any
    ) -> Applied:
        """`prov apply`, or `prov destroy` with `options: {destroy: true}`; a blocked plan fails the test."""
        options = _options(case)
        self.wanted = wanted
        project, executor = self._project(wanted, case, fuse or Fuse())
        try:
            done = apply(
                project,
                options,
                approve=self._approve,
                emit=self.events.append,
                deadline_s=deadline_s,
            )
        finally:
            project.store.close()
            self.seconds = executor.seconds
        assert not done.plan.blocked, done.plan.problems
        return done

    def _approve(self, plan: Plan) -> bool:
        self.decided = plan
        return True

    def plan(self, wanted: Mapping[str, Any], **case: Any) -> Plan:
        """`prov plan`."""
        options = _options(case)
        project, _ = self._project(wanted, case, Fuse())
        try:
            state = project.store.load()
            graph = project.graph(state)
            return plan_for(project, state, graph, options, observed(project, state, graph, options))
        finally:
            project.store.close()

    def left_over(self, *lineages: str) -> Found:
        """`prov sweep`, which only looks."""
        project, _ = self._project(self.wanted, {}, Fuse())
        try:
            return find(project, project.look(), lineages)
        finally:
            project.store.close()

    def sweep(
        self, *lineages: str, deadline_s: float = 600.0, tell: Callable[[str], None] = lambda text: None
    ) -> Swept:
        """`prov sweep --yes`."""
        project, executor = self._project(self.wanted, {}, Fuse())
        try:
            found = find(project, project.look(), lineages)
            return sweep(project, found.leftovers, lineages, tell=tell, deadline_s=deadline_s)
        finally:
            project.store.close()
            self.seconds = executor.seconds

    def points(self, wanted: Mapping[str, Any], **case: Any) -> int:
        """Applies, and tells how many points that had."""
        fuse = Fuse()
        self.apply(wanted, fuse=fuse, **case)
        return fuse.passed

    def killed(self, at: int, wanted: Mapping[str, Any], **case: Any) -> bool:
        """Applies until the point; whether it came to that."""
        try:
            self.apply(wanted, fuse=Fuse(at), **case)
        except Killed:
            return True
        return False

    def state(self) -> State:
        store = self.store(Fuse())
        try:
            return store.load()
        finally:
            store.close()

    def store(self, fuse: Fuse) -> FusedStore:
        if self.folder is None:
            return FusedStore(self.memory, fuse)
        return FusedStore(SqliteStore(self.folder / "demo.db", "demo", lambda: _ME), fuse)

    def assert_nothing_is_lost(self) -> None:
        """What exists is on record, once, and what is on record exists; nothing is in flight or to be removed."""
        state = self.state()
        there = {
            entry.key: str(entry.address) for entry in state.entries.values() if entry.address.kind != "toy.gate"
        }
        assert there == {key: str(thing.address) for key, thing in self.cloud.things.items()}
        assert not state.deposed
        assert not [entry for entry in state.entries.values() if entry.in_flight or entry.owed]

    def _project(self, wanted: Mapping[str, Any], case: Mapping[str, Any], fuse: Fuse) -> tuple[Any, FusedInline]:
        executor = self.executor = FusedInline(self.chance, self.seconds, fuse=fuse)
        registry = Registry({}, {"toy": ToyProvider(self.cloud)})

        def graph(state: State) -> ResourceGraph:
            return planning.graph({"wanted": wanted, **case})

        store = self.store(fuse)
        project = SimpleNamespace(
            store=store,
            look=store.load,
            registry=registry,
            world=SimpleNamespace(
                now=lambda: START + timedelta(seconds=executor.seconds),
                tell=lambda text: None,
                wait=lambda seconds: None,
                executor=lambda: executor,
            ),
            graph=graph,
            refuse_moves=lambda state: None,
            clients=lambda made: Clients(registry, made.providers),
            versions=lambda made: {"toy": "1.0"},
            lock_info=lambda doing: evolve(INFO, doing=doing),
        )
        return project, executor


def _options(case: dict[str, Any]) -> PlanOptions:
    raw = case.pop("options", {})
    return PlanOptions(raw.get("destroy", False), frozenset(raw.get("allow", ())))
