"""Sweeping: what bears our mark and is on no record is found, shown, and removed if somebody says so.

What is on record is never touched, whatever its status; nor is what belongs to another state, unless that state's
lineage is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from functools import partial

from attrs import define, evolve, field, frozen

from provisioner.engine.clients import Clients, RecordedOutputs
from provisioner.engine.context import CallContext
from provisioner.engine.executor import Executor
from provisioner.engine.faults import fault
from provisioner.engine.patience import patiently
from provisioner.engine.tasks import Tasks
from provisioner.errors import ProvError, ProviderError, Retry
from provisioner.model.address import Address
from provisioner.model.job import Done, Job, Pending
from provisioner.model.owned import Owned
from provisioner.model.state import State
from provisioner.sdk.provider import AnyKind, Kind, ListsOwned, PlansDeletion
from provisioner.workflow.open import Project

_AT_ONCE = 8
"""Removals in flight; a sweep is in no hurry."""
_MOST_S = 30.0
_PATIENCE_S = 10.0
"""How long nothing goes before somebody is told what is waited for."""
_NOWHERE_ELSE = frozenset({"core", "talos"})
"""Providers of what is in the state, or goes with the machines."""


@frozen
class Leftover:
    """An object that nobody has on record, and the provider instance through which it can be removed."""

    instance: str
    owned: Owned


@frozen
class Others:
    """How many objects belong to another state."""

    lineage: str
    clusters: tuple[str, ...]
    count: int


@frozen
class Found:
    """What was found: what nobody has on record, what is on record, what belongs to others, and who gave no answer.

    `unasked` has a reason by instance.
    """

    leftovers: tuple[Leftover, ...]
    on_record: int
    others: tuple[Others, ...]
    unasked: Mapping[str, str]


@frozen
class Swept:
    """What became of leftovers: the removed ones, and why others are still there."""

    removed: tuple[Leftover, ...]
    failed: Mapping[Leftover, ProvError]


def find(project: Project, state: State, lineages: Collection[str] = ()) -> Found:
    """What bears a mark of ours: of this state's lineage and the given ones it may be left over."""
    listed, unasked = _listed(project, state)
    ours = {lineage for lineage in (state.lineage, *lineages) if lineage}
    recorded = {entry.key for entry in (*state.entries.values(), *state.deposed.values())}
    mine = [one for one in listed if one.owned.lineage in ours]
    left = tuple(one for one in mine if one.owned.key not in recorded)
    foreign = [one.owned for one in listed if one.owned.lineage not in ours]
    return Found(left, len(mine) - len(left), _by_lineage(foreign), unasked)


def sweep(
    project: Project,
    shown: Sequence[Leftover],
    lineages: Collection[str],
    *,
    tell: Callable[[str], None],
    deadline_s: float,
) -> Swept:
    """Removes what was shown and is still on no record, as long as nobody else can write to the state."""
    named = project.look().lineage
    lock = project.store.lock(project.lock_info("sweep")) if named else nullcontext()
    with lock, closing(project.world.executor()) as executor:
        state = project.look()
        still = {*find(project, state, lineages).leftovers}
        graph = project.graph(state)
        work = _Sweeping(project, project.clients(graph), state, executor, tell)
        return work.remove([one for one in shown if one in still], deadline_s)


def _listed(project: Project, state: State) -> tuple[list[Leftover], dict[str, str]]:
    """All that bears a mark, by the first instance that tells of it; a reason for each that tells nothing."""
    graph = project.graph(state)
    clients = project.clients(graph)
    listed: dict[tuple[str, str], Leftover] = {}
    unasked: dict[str, str] = {}
    for name, use in sorted(graph.providers.items()):
        provider = project.registry.provider(use.type)
        if not isinstance(provider, ListsOwned):
            if use.type not in _NOWHERE_ELSE:
                unasked[name] = f"the provider {use.type} cannot list what is ours"
            continue
        try:
            client = clients.client(name, RecordedOutputs(state))
            found = patiently(partial(provider.list_owned, client, _context(project)), project.world.wait)
        except ProviderError as err:
            unasked[name] = f"{err.summary}: {err.detail}" if err.detail else err.summary
            continue
        for owned in found:
            listed.setdefault((owned.kind, owned.id), Leftover(name, owned))
    return [*listed.values()], unasked


def _context(project: Project) -> CallContext:
    tasks = Tasks(lambda work: work())
    return CallContext(project.world.now, project.world.tell, lambda: False, tasks, derive=project.store.derive)


def _by_lineage(foreign: Iterable[Owned]) -> tuple[Others, ...]:
    listed = [*foreign]
    counts = Counter(owned.lineage for owned in listed)
    names = {
        lineage: tuple(sorted({owned.cluster for owned in listed if owned.lineage == lineage and owned.cluster}))
        for lineage in counts
    }
    return tuple(Others(lineage, names[lineage], counts[lineage]) for lineage in sorted(counts))


@define
class _Removal:
    """One object on its way out: where its verb stands, and why it is not gone yet."""

    leftover: Leftover
    job: Job[object, object]
    why: ProvError | None = None
    wait_s: float = 0.0
    over: bool = False
    told: str = ""


@define
class _Sweeping:
    """Removes objects in rounds: what waits for another one to go is asked again in the next."""

    project: Project
    clients: Clients
    state: State
    executor: Executor
    tell: Callable[[str], None]
    _gone: list[Leftover] = field(factory=list)

    def remove(self, leftovers: Sequence[Leftover], deadline_s: float) -> Swept:
        removals = [_Removal(one, self._job(one)) for one in leftovers]
        last = self.executor.now()
        until = last + deadline_s
        while open_ := [one for one in removals if not one.over]:
            before = len(self._gone)
            self._round(open_)
            now = self.executor.now()
            if now >= until:
                break
            if len(self._gone) > before:
                last = now
            elif waiting := [one for one in open_ if not one.over]:
                if now - last >= _PATIENCE_S:
                    self._tell(waiting)
                self.executor.arrived(min(*(one.wait_s for one in waiting), _MOST_S))
        failed = {one.leftover: one.why for one in removals if one.why is not None}
        return Swept(tuple(self._gone), failed)

    def _tell(self, waiting: Sequence[_Removal]) -> None:
        """What is waited for, each reason once."""
        for removal in waiting:
            reason = (removal.why.detail or removal.why.summary) if removal.why is not None else ""
            if reason and reason != removal.told:
                self.tell(f"  {name_of(removal.leftover.owned)} is not gone yet: {reason}")
                removal.told = reason

    def _round(self, removals: Sequence[_Removal]) -> None:
        for batch in _batches(removals):
            for removal in batch:
                self.executor.submit(partial(self._called, removal))
            arrived: list[tuple[_Removal, object]] = []
            while len(arrived) < len(batch):
                arrived += self.executor.arrived(None)
            for removal, outcome in arrived:
                self._take(removal, outcome)

    def _called(self, removal: _Removal) -> tuple[_Removal, object]:
        one = removal.leftover
        try:
            client = self.clients.client(one.instance, RecordedOutputs(self.state))
            kind = self._kind(one.owned)
            return removal, kind.delete(client, removal.job, _context(self.project))
        except Exception as err:  # whatever it is, the others are still to be removed
            return removal, err

    def _take(self, removal: _Removal, outcome: object) -> None:
        match outcome:
            case Done():
                removal.over, removal.why = True, None
                self._gone.append(removal.leftover)
                self.tell(f"- {name_of(removal.leftover.owned)}")
            case Pending(phase=phase, memo=memo, after_s=after_s, note=note):
                removal.job = evolve(removal.job, phase=phase, memo=memo)
                removal.wait_s = after_s
                removal.why = ProviderError("it is not gone yet", detail=note, remedy="run the same command again")
            case Retry() as err:
                removal.why, removal.wait_s = err, err.after_s
            case ProviderError() as err:
                removal.why, removal.over = err, True
            case other:
                removal.why, removal.over = fault(other), True

    def _kind(self, owned: Owned) -> Kind:
        kind: AnyKind = self.project.registry.kind(owned.kind)
        assert isinstance(kind, Kind), "only what can be made can be left over"
        return kind

    def _job(self, one: Leftover) -> Job[object, object]:
        owned, kind = one.owned, self._kind(one.owned)
        address = _address(owned)
        how = kind.how(address, frozenset(), None)[0] if isinstance(kind, PlansDeletion) else ""
        return Job(owned.key, 1, address, owned.id, how=how, lineage=owned.lineage)


def name_of(owned: Owned) -> str:
    """What an object is called in front of people."""
    return f"{owned.address or owned.kind} ({owned.id})"


def _address(owned: Owned) -> Address:
    """The address that the mark tells; one made of the id where it tells none."""
    try:
        return Address.parse(owned.address)
    except ValueError:
        return Address(owned.kind, "left-over")


def _batches(removals: Sequence[_Removal]) -> Iterator[Sequence[_Removal]]:
    for start in range(0, len(removals), _AT_ONCE):
        yield removals[start : start + _AT_ONCE]
