"""Reading what is on record, in batches: one call per kind and provider instance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from attrs import evolve

from provisioner.engine.clients import Clients, RecordedOutputs
from provisioner.engine.context import CallContext
from provisioner.engine.faults import fault
from provisioner.engine.patience import patiently
from provisioner.engine.tasks import Tasks
from provisioner.errors import ProviderError
from provisioner.model.address import Address
from provisioner.model.job import Job
from provisioner.model.plan import ProviderUse
from provisioner.model.resource import Absent, Reading, Unreachable
from provisioner.model.schema import Schema
from provisioner.model.state import Change, Entry, Put, State, Status
from provisioner.model.value import refs
from provisioner.plugins.registry import Registry
from provisioner.sdk.provider import AnyKind, Gate, Kind

_BATCHES = 8


def observe(
    state: State,
    registry: Registry,
    clients: Clients,
    providers: Mapping[str, ProviderUse],
    *,
    now: Callable[[], datetime],
    say: Callable[[str], None],
    wait: Callable[[float], None],
) -> dict[Address, Reading]:
    """A reading for every settled entry that is no gate.

    Instances whose settings refer to resources come after the others: what was just found absent no longer
    counts as known to them. What cannot be asked is `Unreachable`, never absent.
    """
    context = CallContext(now, say, lambda: False, Tasks(lambda work: work()))
    unsettled = (Status.CREATING, Status.FAILED)
    standing = [entry for entry in state.entries.values() if entry.status not in unsettled]
    readings: dict[Address, Reading] = {}
    with ThreadPoolExecutor(_BATCHES, "observe") as pool:
        for group in _by_dependence(standing, providers):
            gone = frozenset(address for address, reading in readings.items() if isinstance(reading, Absent))

            def ask(batch: list[Entry], gone: frozenset[Address] = gone) -> dict[Address, Reading]:
                return _ask(batch, state, registry, clients, gone, context, wait)

            for answer in pool.map(ask, _batches(group, registry)):
                readings.update(answer)
    return readings


def _by_dependence(entries: Iterable[Entry], providers: Mapping[str, ProviderUse]) -> list[list[Entry]]:
    first: list[Entry] = []
    second: list[Entry] = []
    for entry in entries:
        use = providers.get(entry.provider)
        later = use is not None and any(True for _ in refs(dict(use.settings)))
        (second if later else first).append(entry)
    return [first, second]


def _batches(entries: Iterable[Entry], registry: Registry) -> list[list[Entry]]:
    batches: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        batches[entry.provider, entry.address.kind].append(entry)
    return [batch for (_, kind), batch in batches.items() if not isinstance(registry.kind(kind), Gate)]


def _ask(
    batch: list[Entry],
    state: State,
    registry: Registry,
    clients: Clients,
    gone: frozenset[Address],
    context: CallContext,
    wait: Callable[[float], None],
) -> dict[Address, Reading]:
    kind = registry.kind(batch[0].address.kind)
    assert isinstance(kind, Kind)
    jobs = [job_for(entry, kind, state.lineage) for entry in batch]
    try:
        client = clients.client(batch[0].provider, RecordedOutputs(state, gone=gone))
        found = patiently(lambda: kind.read(client, jobs, context), wait)
    except ProviderError as err:
        reason = f"{err.summary}: {err.detail}" if err.detail else err.summary
        return {entry.address: Unreachable(reason) for entry in batch}
    except Exception as err:  # a plan shall not end because one kind cannot read
        return {entry.address: Unreachable(fault(err).detail) for entry in batch}
    silent = Unreachable("the provider gave no answer for it")
    return {entry.address: found.get(entry.key, silent) for entry in batch}


def silences(state: State, seen: Mapping[Address, Reading], now: datetime) -> list[Change]:
    """Entries to write because what they are about has fallen silent, or answers again."""
    changes: list[Change] = []
    for address, reading in seen.items():
        entry = state.entries.get(address)
        silent = isinstance(reading, Unreachable)
        if entry is not None and silent != bool(entry.silent):
            since = (reading.since if isinstance(reading, Unreachable) else None) or now
            changes.append(Put(evolve(entry, silent=since.isoformat(timespec="minutes") if silent else "")))
    return changes


def job_for(entry: Entry, kind: AnyKind, lineage: str, *, seen: Reading | None = None) -> Job[Any, Any]:
    """What a verb is given about an entry; `wanted` comes from its intent."""
    props, outputs = Schema.of(kind.props), Schema.of(kind.outputs)
    return Job(
        key=entry.key,
        generation=entry.generation,
        address=entry.address,
        id=entry.id,
        phase=entry.phase,
        memo=entry.memo,
        wanted=props.build(entry.intended) if entry.intended and entry.status is not Status.DELETING else None,
        applied=props.build(entry.applied or entry.intended) if entry.applied or entry.intended else None,
        outputs=outputs.build(entry.outputs) if entry.outputs else None,
        seen=seen,
        how=entry.how,
        lineage=lineage,
    )
