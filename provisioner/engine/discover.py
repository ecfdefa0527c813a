"""Finding what is wanted and not on record: answers of look-ups, and objects to be taken over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Literal

from attrs import frozen

from provisioner.engine.clients import Clients, RecordedOutputs
from provisioner.engine.context import CallContext
from provisioner.engine.faults import fault
from provisioner.engine.patience import patiently
from provisioner.engine.tasks import Tasks
from provisioner.errors import ProviderError
from provisioner.model.address import Address
from provisioner.model.job import Job
from provisioner.model.resource import Absent, Reading, Resource, Seen, Unreachable
from provisioner.model.schema import Schema
from provisioner.model.state import State
from provisioner.model.value import Value, evaluate, is_known, strip_origins
from provisioner.plugins.registry import Registry
from provisioner.sdk.provider import AnyKind, Imports, is_look_up

_SILENT = Unreachable("the provider gave no answer for it")


@frozen
class _Question:
    """A resource to ask for: a look-up by its props, an object to be taken over by its id."""

    resource: Resource
    kind: AnyKind
    props: Mapping[str, Value]


def discover(
    wanted: Collection[Resource],
    state: State,
    seen: Mapping[Address, Reading],
    registry: Registry,
    clients: Clients,
    *,
    now: Callable[[], datetime],
    say: Callable[[str], None],
    wait: Callable[[float], None],
) -> dict[Address, Reading]:
    """A reading for every look-up whose props are known by now, and for every object to be taken over.

    A look-up may refer to another one, so they are asked in rounds. What refers to something that is gone, or is yet
    to be made, has to wait for apply.
    """
    context = CallContext(now, say, lambda: False, Tasks(lambda work: work()))
    gone = frozenset(address for address, reading in seen.items() if isinstance(reading, Absent))
    ways = {name: _way(registry.kind(name)) for name in {resource.address.kind for resource in wanted}}
    open_ = [resource for resource in wanted if _is_open(resource, ways[resource.address.kind], state)]
    answers: dict[Address, Reading] = {}
    while open_:
        found = {address: answer.outputs for address, answer in answers.items() if isinstance(answer, Seen)}
        lookup = RecordedOutputs(state, found, gone)
        questions: dict[tuple[str, str], list[_Question]] = defaultdict(list)
        for resource in open_:
            kind = registry.kind(resource.address.kind)
            try:
                props = strip_origins(evaluate(resource.props, lookup, clients.functions()))
            except ValueError:
                continue  # the planner says what is wrong with it
            assert isinstance(props, Mapping)
            fits = not any(Schema.of(kind.props).complaints(props))
            if resource.adopts or (fits and is_known(props)):
                questions[resource.provider, resource.address.kind].append(_Question(resource, kind, props))
        if not questions:
            break
        for batch in questions.values():
            answers |= _ask(batch, state, clients, lookup, context, wait)
        open_ = [resource for resource in open_ if resource.address not in answers]
    return answers


_Way = Literal["look up", "take over", "neither"]


def _way(kind: AnyKind) -> _Way:
    """How things of a kind can be found; once per kind, for asking a kind takes its time."""
    return "look up" if is_look_up(kind) else "take over" if isinstance(kind, Imports) else "neither"


def _is_open(resource: Resource, way: _Way, state: State) -> bool:
    return way == "look up" or bool(resource.adopts and way == "take over" and resource.address not in state.entries)


def _ask(
    batch: list[_Question],
    state: State,
    clients: Clients,
    lookup: RecordedOutputs,
    context: CallContext,
    wait: Callable[[float], None],
) -> dict[Address, Reading]:
    kind, instance = batch[0].kind, batch[0].resource.provider
    try:
        client = clients.client(instance, lookup)
        if isinstance(kind, Imports):
            ids = [question.resource.adopts for question in batch]
            by_id = patiently(lambda: kind.find(client, ids, context), wait)
            return {q.resource.address: by_id.get(q.resource.adopts, _SILENT) for q in batch}
        jobs = [_job(question, state.lineage) for question in batch]
        by_key = patiently(lambda: kind.read(client, jobs, context), wait)  # type: ignore[union-attr]
        return {job.address: _normal(kind, by_key.get(job.key, _SILENT)) for job in jobs}
    except ProviderError as err:
        reason = f"{err.summary}: {err.detail}" if err.detail else err.summary
        return {question.resource.address: Unreachable(reason, remedy=err.remedy) for question in batch}
    except Exception as err:  # a plan shall not end because one kind cannot read
        return {question.resource.address: Unreachable(fault(err).detail) for question in batch}


def _job(question: _Question, lineage: str) -> Job[object, object]:
    address, schema = question.resource.address, Schema.of(question.kind.props)
    wanted = schema.build(schema.normal(question.props))
    return Job(key=str(address), generation=1, address=address, wanted=wanted, lineage=lineage)


def _normal(kind: AnyKind, reading: Reading) -> Reading:
    if isinstance(reading, Seen):
        return Seen(reading.props, Schema.of(kind.outputs).normal(reading.outputs))
    return reading
