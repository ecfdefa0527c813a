"""A cluster of toys with a real state file: what is needed to plan and run, in one hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import define, evolve, field
from fakes import planning
from fakes.toy import Cloud, ToyProvider

from provisioner.engine.apply import Engine, RunResult
from provisioner.engine.clients import Clients
from provisioner.engine.endpoints import Endpoints
from provisioner.engine.executor import Threads
from provisioner.engine.observe import observe
from provisioner.model.address import Address
from provisioner.model.event import Event
from provisioner.model.plan import Plan, ProviderUse
from provisioner.model.resource import Reading
from provisioner.model.state import Entry, LockInfo, Put, Records, State
from provisioner.model.step import Check
from provisioner.planner.build import PlanOptions, make_plan
from provisioner.plugins.registry import Registry
from provisioner.state.sealed import Identity, new_identity
from provisioner.state.sqlite_store import SqliteStore

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INFO = LockInfo("ada", "desk", 4711, NOW.isoformat(), "apply")
_ME = Identity(new_identity(), "the bench")


@define
class Bench:
    """Cloud, registry and state; every run is a fresh one, as in a fresh process."""

    folder: Path
    cloud: Cloud = field(factory=Cloud)
    events: list[Event] = field(factory=list)
    waits: list[float] = field(factory=list)
    """How long reading has waited before it asked again."""
    providers: dict[str, ProviderUse] = field(factory=lambda: {"toy": ProviderUse("toy", "toy", {})})
    executor: Callable[[], Threads] = Threads

    @property
    def registry(self) -> Registry:
        provider = ToyProvider(self.cloud)
        return Registry({}, {"toy": provider})

    def store(self) -> SqliteStore:
        return SqliteStore(self.folder / "demo.db", "demo", lambda: _ME)

    def state(self) -> State:
        """What is on record now, read from the file."""
        store = self.store()
        try:
            return store.load()
        finally:
            store.close()

    def entry(self, text: str) -> Entry:
        return self.state().entries[Address.parse(text)]

    def status(self) -> dict[str, str]:
        """Address and status of everything on record."""
        return {str(entry.address): str(entry.status) for entry in self.state().entries.values()}

    def record(self, *entries: Entry) -> None:
        """Puts entries on record."""
        store = self.store()
        with store.lock(INFO) as fence:
            store.commit([Put(entry) for entry in entries], fence)
        store.close()

    def observe(self) -> Mapping[Address, Reading]:
        registry = self.registry
        clients = Clients(registry, self.providers)
        return observe(
            self.state(),
            registry,
            clients,
            self.providers,
            now=lambda: NOW,
            say=lambda text: None,
            wait=self.waits.append,
        )

    def plan(self, wanted: Mapping[str, Any], **case: Any) -> Plan:
        """The plan for what is wanted, from what is on record and what is found."""
        options = case.pop("options", {})
        return make_plan(
            evolve(planning.graph({"wanted": wanted, **case}), providers=self.providers),
            self.state(),
            self.observe(),
            kind_of=self.registry.kind,
            functions=self.registry.functions(),
            versions={"toy": "1.0"},
            options=PlanOptions(options.get("destroy", False), frozenset(options.get("allow", ()))),
        )

    def apply(self, wanted: Mapping[str, Any], *, deadline_s: float = 100.0, **case: Any) -> RunResult:
        """Plans and does it."""
        plan = self.plan(wanted, **case)
        assert not plan.blocked, plan.problems
        return self.run(lambda run: run.apply(plan.steps, plan.rollouts), deadline_s=deadline_s)

    def settle(self, guards: Mapping[Address, Check] | None = None) -> RunResult:
        unfinished = [entry for entry in self.state().entries.values() if entry.status in ("creating", "updating")]
        return self.run(lambda run: run.settle(unfinished, guards))

    def run(self, work: Callable[[Engine], RunResult], *, deadline_s: float = 100.0) -> RunResult:
        """One run over the state, under its lock."""
        store = self.store()
        registry = self.registry
        try:
            with store.lock(INFO) as fence, closing(self.executor()) as executor:
                run = Engine(
                    records=Records(store.load()),
                    store=store,
                    fence=fence,
                    registry=registry,
                    clients=Clients(registry, self.providers),
                    endpoints=Endpoints(registry, self.providers),
                    executor=executor,
                    emit=self.events.append,
                    now=lambda: NOW,
                    deadline_s=deadline_s,
                )
                result = work(run)
                assert run.records.state() == store.load(), "the snapshot and the file tell different stories"
                return result
        finally:
            store.close()

    def told(self, kind: type[Event]) -> list[Any]:
        """All events of a type."""
        return [event for event in self.events if isinstance(event, kind)]  # type: ignore[arg-type]
