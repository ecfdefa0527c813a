"""Serving alone: what objects fetch while they are made, whoever makes them.

An apply serves by itself. Alone it is for the time after a run that was cut off, while machines go on asking, and for
an apply that runs where machines cannot reach it. Nothing is changed, and no lock is taken: objects are those that
the state has as half made, looked at again in every round.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from threading import Thread
from typing import Any

from attrs import define, field, frozen

from provisioner.engine.clients import Clients, RecordedOutputs
from provisioner.engine.context import CallContext
from provisioner.engine.observe import job_for
from provisioner.engine.tasks import Tasks
from provisioner.errors import ProvError
from provisioner.model.fetch import Fetch
from provisioner.model.job import Job
from provisioner.model.plan import ProviderUse
from provisioner.model.state import State, Status
from provisioner.sdk.provider import Serves
from provisioner.workflow.open import Project


@frozen
class Round:
    """What one look came to: what is served, by address, with what keeps it from being so; and what was fetched."""

    objects: Mapping[str, str]
    fetches: tuple[Fetch, ...]


@define
class Serving:
    """What this process serves. `stopping` tells tasks that nobody waits for them any longer."""

    project: Project
    stopping: Callable[[], bool] = lambda: False
    _tasks: Tasks = field(init=False, factory=lambda: Tasks(_beside))
    _state: State | None = field(init=False, default=None)
    _uses: Mapping[str, ProviderUse] = field(init=False, factory=dict)
    _clients: Clients | None = field(init=False, default=None)
    _heard: dict[str, int] = field(init=False, factory=dict)

    def round(self) -> Round:
        """Serves what is being made now, and nothing else any longer; raises ProvError where that cannot be."""
        state = self._look()
        jobs = self._jobs(state)
        objects: dict[str, str] = {}
        fetches: list[Fetch] = []
        for name, provider in self._servers().items():
            assert self._clients is not None
            client = self._clients.client(name, RecordedOutputs(state))
            answers = provider.serve(client, jobs[name], self._context())
            objects |= {str(job.address): answers.get(job.key, "") for job in jobs[name]}
            fetches += self._new(name, provider.fetched(client))
        return Round(dict(sorted(objects.items())), tuple(sorted(fetches, key=lambda fetch: fetch.at)))

    def _look(self) -> State:
        """The state; whatever depends on it is made anew when it has changed."""
        state = self.project.store.load()
        if self._state is None or self._state.serial != state.serial:
            self._state = state
            self._uses = self.project.graph(state).providers
            self._clients = self._clients or Clients(self.project.registry, self._uses)
        return state

    def _servers(self) -> dict[str, Serves]:
        found: dict[str, Serves] = {}
        for name, use in self._uses.items():
            provider: Any = self.project.registry.provider(use.type)
            if isinstance(provider, Serves):
                found[name] = provider
        if not found:
            raise ProvError(
                "there is nothing to serve",
                detail="no provider of the file has objects that fetch anything from here",
                remedy="`prov apply` is all it takes",
            )
        return found

    def _jobs(self, state: State) -> Mapping[str, Sequence[Job[Any, Any]]]:
        """What is being made, by provider instance."""
        found: dict[str, list[Job[Any, Any]]] = defaultdict(list)
        for entry in state.entries.values():
            if entry.status is Status.CREATING:
                kind = self.project.registry.kind(entry.address.kind)
                found[entry.provider].append(job_for(entry, kind, state.lineage))
        return found

    def _context(self) -> CallContext:
        world, derive = self.project.world, self.project.store.derive
        return CallContext(world.now, world.tell, self.stopping, self._tasks, derive=derive)

    def _new(self, name: str, fetched: Sequence[Fetch]) -> list[Fetch]:
        """What was not told yet."""
        new = [fetch for fetch in fetched if fetch.number > self._heard.get(name, 0)]
        self._heard[name] = max((fetch.number for fetch in new), default=self._heard.get(name, 0))
        return new


def _beside(work: Callable[[], None]) -> None:
    Thread(target=work, name="task", daemon=True).start()
