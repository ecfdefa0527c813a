"""One call of a provider, packed so that an executor can run it anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from provisioner.engine.clients import Clients, RecordedOutputs
from provisioner.engine.context import CallContext
from provisioner.engine.executor import Executor
from provisioner.engine.faults import fault
from provisioner.engine.observe import job_for
from provisioner.engine.tasks import Tasks
from provisioner.engine.work import Answered, FoundOut, Said, Work
from provisioner.errors import Fatal, ProvError, Retry
from provisioner.model.job import Answer, Done, Job
from provisioner.model.resource import Absent, Reading, Seen, Unreachable
from provisioner.model.schema import Schema
from provisioner.sdk.provider import AnyKind, Kind


@frozen
class Calls:
    """Makes calls; each comes back to the executor as one message, whatever happens in it."""

    executor: Executor
    clients: Clients
    lookup: RecordedOutputs
    lineage: str
    tasks: Tasks
    now: Callable[[], datetime]
    stopping: Callable[[], bool]
    derive: Callable[[str], str]

    def verb(self, work: Work, seen: Reading | None) -> None:
        """Calls the verb of a work."""
        job = job_for(work.entry, work.kind, self.lineage, seen=seen)
        context = self._context(work.entry.key, lambda note: self.executor.post(Said(work, note)))

        def call() -> Answered:
            try:
                client = self.clients.client(work.entry.provider, self.lookup)
                if work.verb == "read":
                    return Answered(work, _looked_up(work.kind, client, job, context))
                return Answered(work, getattr(work.kind, work.verb)(client, job, context))
            except Exception as err:
                return Answered(work, err)

        self.executor.submit(call)

    def read(self, works: Sequence[Work]) -> None:
        """Reads several objects of one kind and instance at once."""
        kind, instance = works[0].kind, works[0].entry.provider
        assert isinstance(kind, Kind)
        jobs = [job_for(work.entry, kind, self.lineage) for work in works]
        context = self._context("", lambda note: None)

        def call() -> FoundOut:
            try:
                client = self.clients.client(instance, self.lookup)
                return FoundOut(works, kind.read(client, jobs, context), None)
            except Exception as err:
                reason = err.summary if isinstance(err, ProvError) else fault(err).detail
                return FoundOut(works, {job.key: Unreachable(reason) for job in jobs}, err)

        self.executor.submit(call)

    def _context(self, key: str, say: Callable[[str], None]) -> CallContext:
        return CallContext(self.now, say, self.stopping, self.tasks, key, self.derive)


def _looked_up(kind: AnyKind, client: Any, job: Job[Any, Any], context: CallContext) -> Answer:
    """A look-up as an answer: what was found are the outputs."""
    match kind.read(client, [job], context).get(job.key):  # type: ignore[union-attr]
        case Seen(outputs=outputs):
            return Done(Schema.of(kind.outputs).normal(outputs))
        case Absent():
            raise Fatal("nothing was found", detail=str(job.address), remedy="correct what is looked for")
        case Unreachable(reason):
            raise Retry("nothing could be looked up", detail=f"{job.address}: {reason}")
        case _:
            raise Retry("nothing could be looked up", detail=f"{job.address}: the provider gave no answer for it")
