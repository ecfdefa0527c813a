"""The rules that kinds keep, as tests to inherit.

    class TestAcmeKinds(KindSuite):
        provider = prov_acme.provider
        samples = {"acme.disk/one": Sample({"name": "one", "size": 1}, changed={"size": 2})}

        @pytest.fixture
        def cloud(self, tmp_path): return AcmeBackEnd(tmp_path)

        @pytest.fixture
        def settings(self, cloud): return {"folder": str(cloud.folder)}

Every sample is tried on its own, with a fresh remote for each test.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, get_args

import pytest
from attrs import evolve

from provisioner.conformance.back_end import FAULTS, BackEnd, Fault
from provisioner.conformance.lab import LINEAGE, OTHER_LINEAGE, Held, Lab, Sample, same
from provisioner.conformance.leaks import leaks, secrets_in
from provisioner.conformance.rules import holds
from provisioner.conformance.suite import Suite, nothing_to_test
from provisioner.conformance.watch import touching_nothing
from provisioner.errors import EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry, Throttled
from provisioner.model.address import Address
from provisioner.model.job import Done, Pending
from provisioner.model.owned import Owned
from provisioner.model.resource import Absent, Reading, Seen, Unreachable
from provisioner.model.schema import Schema
from provisioner.model.step import FieldChange, Run, Severity, Update
from provisioner.model.value import Unknown, Value, has_secret, leaves
from provisioner.sdk.provider import (
    Acts,
    Erases,
    Expands,
    Gate,
    Imports,
    Interrupts,
    Kind,
    Limited,
    Limits,
    ListsOwned,
    LookUpKind,
    Patient,
    PlansDeletion,
    Provider,
    Serves,
    TellsBirth,
    TellsConsequence,
    WeighsDrift,
)

F = TypeVar("F", bound=Callable[..., Any])
MANY = 20
EXPECTED: Mapping[Fault, tuple[type[ProviderError], ...]] = {
    "throttled": (Throttled,),
    "denied": (OperatorNeeded,),
    "quota": (OperatorNeeded,),
    "conflict": (Retry, OperatorNeeded, Fatal),
    "timeout": (Retry,),
    "lost": (Retry,),
}
"""What each fault may become."""


def each(choose: Callable[[Any, Sample], bool]) -> Callable[[F], F]:
    """Which samples a test is for."""

    def mark(test: F) -> F:
        test.__each__ = choose  # type: ignore[attr-defined]
        return test

    return mark


def _lives(kind: Any, sample: Sample) -> bool:
    return isinstance(kind, Kind)


def _changes(kind: Any, sample: Sample) -> bool:
    return isinstance(kind, Kind) and bool(sample.changed)


def _looks(kind: Any, sample: Sample) -> bool:
    return isinstance(kind, LookUpKind) and not isinstance(kind, Kind)


def _having(*abilities: Any) -> Callable[[Any, Sample], bool]:
    return lambda kind, sample: isinstance(kind, abilities)


class KindSuite(Suite):
    """K1 to K9, and the rules of the abilities that a kind may have."""

    provider: ClassVar[Provider]
    samples: ClassVar[Mapping[str, Sample]]
    """By address, such as `acme.disk/one`."""
    tried: ClassVar[frozenset[str] | None] = None
    """The samples that are tried, all of them unless it is said; the others are there to be referred to."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test for each sample that it is for."""
        if "target" in metafunc.fixturenames:
            choose = getattr(metafunc.function, "__each__", _lives)
            tried = {text: one for text, one in self.samples.items() if self.tried is None or text in self.tried}
            fit = [text for text, sample in tried.items() if choose(self._kind(text), sample)]
            metafunc.parametrize("target", [Address.parse(text) for text in fit] or [None], ids=fit or ["nothing"])

    @classmethod
    def _kind(cls, text: str) -> Any:
        return cls.provider.kinds[Address.parse(text).kind]

    @pytest.fixture
    def cloud(self) -> BackEnd:
        """The remote."""
        raise NotImplementedError("give the suite a fixture `cloud`: what your provider talks to, as a BackEnd")

    @pytest.fixture
    def settings(self) -> Mapping[str, Value]:
        """The provider block that leads to the remote."""
        return {}

    @pytest.fixture
    def connect(self, cloud: BackEnd, settings: Mapping[str, Value]) -> Callable[[], Any]:
        """Makes a client, as a fresh process would."""
        schema = Schema.of(self.provider.settings)
        return lambda: self.provider.connect(schema.build(schema.normal(settings)))

    @pytest.fixture
    def lab(self, cloud: BackEnd, connect: Callable[[], Any], request: pytest.FixtureRequest) -> Lab:
        """What lives are lived in."""
        if "target" in request.fixturenames and request.getfixturevalue("target") is None:
            nothing_to_test("no sample is of a kind that this rule is about")
        return Lab(self.provider, connect, cloud, self.samples)

    # K1

    @holds
    @each(_lives)
    def test_k1_what_is_not_made_is_absent(self, lab: Lab, target: Address) -> None:
        assert lab.read(lab.hold(target)) == Absent()

    @holds
    @each(_lives)
    def test_k1_what_was_made_reads_as_wanted(self, lab: Lab, target: Address) -> None:
        held = lab.make(target)
        by_id = lab.read(held)
        by_key = lab.read(evolve(held, id=None, outputs=None))

        assert by_id == by_key, "reading by id and by key alone tell different stories"
        self._reads_as(lab, held, by_id)

    @holds
    @each(_lives)
    def test_k1_many_are_read_with_few_requests(self, lab: Lab, target: Address) -> None:
        held = [lab.make(target), *(lab.hold(target) for _ in range(MANY - 1))]
        before = lab.remote.requests()
        lab.read_all(held)

        assert lab.remote.requests() - before < MANY / 2, f"reading {MANY} jobs takes a request for each"

    @holds
    @each(_lives)
    def test_k1_silence_is_not_absence(self, lab: Lab, target: Address) -> None:
        self.try_only("silence")
        held = lab.make(target)
        with lab.remote.silence():
            reading = _read_or_error(lab, held)

        assert isinstance(reading, Unreachable | Retry | OperatorNeeded), f"a silent remote reads as {reading}"

    # K2

    @holds
    @each(_lives)
    def test_k2_create_twice_makes_one(self, lab: Lab, target: Address) -> None:
        held = lab.hold(target)
        there = lab.remote.existing()
        again = evolve(held)
        lab.finish("create", held)
        lab.finish("create", again)

        assert again.outputs.id == held.outputs.id
        assert len(lab.remote.existing() - there) == 1

    @holds
    @each(_lives)
    def test_k2_create_that_was_cut_off_makes_one(self, lab: Lab, target: Address) -> None:
        tried = 0
        for fault in self._faults("timeout", "lost"):
            held = lab.hold(target)
            there = lab.remote.existing()
            tried += lab.remote.fail(fault, target.kind, "create")
            lab.finish("create", held)
            made = lab.remote.existing() - there
            assert made == {held.outputs.id}, f"{fault}: {len(made)} objects were made"
            lab.remove(held)
        if not tried:
            nothing_to_test("no request of this kind can be cut off")

    @holds
    @each(_lives)
    def test_k2_what_belongs_to_others_is_never_taken(self, lab: Lab, target: Address) -> None:
        theirs, ours = lab.make(target, lineage=OTHER_LINEAGE), lab.hold(target)
        before = lab.read(theirs)
        refused = _despite_errors(lambda: lab.finish("create", ours))

        if refused is None:
            assert ours.outputs.id != theirs.outputs.id, "the object of another state was adopted"
        else:
            assert isinstance(refused, Fatal | OperatorNeeded), f"a conflict is no {refused!r}"
            assert refused.remedy, "a conflict needs a remedy"
        assert lab.read(theirs) == before, "the object of another state was changed"

    # K3

    @holds
    @each(_changes)
    def test_k3_update_makes_it_so(self, lab: Lab, target: Address) -> None:
        held = lab.make(target)
        lab.change(held, lab.changed(target))

        self._reads_as(lab, held, lab.read(held))

    @holds
    @each(_lives)
    def test_k3_without_a_difference_nothing_is_written(self, lab: Lab, target: Address) -> None:
        held = lab.make(target)
        before = lab.remote.writes()
        lab.change(held, {})

        assert lab.remote.writes() == before

    # K4

    @holds
    @each(_changes)
    def test_k4_each_property_changes_in_place(self, lab: Lab, target: Address) -> None:
        held = lab.make(target)
        for name, value in lab.changed(target).items():
            born = held.outputs.id
            lab.change(held, {name: value})
            assert held.outputs.id == born, f"{name}: another object has taken its place"
            self._reads_as(lab, held, lab.read(held))

    # K5

    @holds
    @each(_lives)
    def test_k5_delete_twice_is_quiet(self, lab: Lab, target: Address) -> None:
        held, never_made = lab.make(target), lab.hold(target)
        lab.remove(held)
        gone = lab.read(held)
        lab.finish("delete", held)
        lab.finish("delete", evolve(held, id=None, outputs=None))
        lab.remove(never_made)

        assert gone == Absent()
        assert held.id not in lab.remote.existing()

    @holds
    @each(_lives)
    def test_k5_what_belongs_to_others_survives(self, lab: Lab, target: Address) -> None:
        theirs, ours = lab.make(target, lineage=OTHER_LINEAGE), lab.hold(target)
        before = lab.read(theirs)
        lab.remove(ours)

        assert lab.read(theirs) == before

    # K6

    @holds
    @each(_lives)
    def test_k6_no_verb_waits(self, lab: Lab, target: Address) -> None:
        self._life(lab, target)

        assert lab.watcher.sleeps == []

    # K7

    @holds
    @each(_lives)
    def test_k7_a_life_dropped_between_calls_goes_on(self, lab: Lab, target: Address) -> None:
        writes, steps = self._life(lab, target)
        for step in range(steps):
            lab.drop_before = step
            written, _ = self._life(lab, target)
            assert written == writes, f"dropped before step {step}: {written} writes instead of {writes}"

    @holds
    @each(_lives)
    def test_k7_a_life_whose_answers_are_lost_goes_on(self, lab: Lab, target: Address) -> None:
        _, steps = self._life(lab, target)
        for step in range(steps):
            lab.lose_answer = step
            self._life(lab, target)

    # K8

    @holds
    @each(_lives)
    def test_k8_secrets_show_nowhere(
        self, lab: Lab, target: Address, settings: Mapping[str, Value], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        secrets = {*secrets_in(lab.props(target)), *secrets_in(lab.changed(target)), *secrets_in(settings)}
        secrets |= set(secrets_in(Schema.of(self.provider.settings).normal(settings)))
        if not secrets and not _tells_secrets(lab.kind(target)):
            nothing_to_test("no sample has a secret in it")
        shown = ""
        for fault in (None, *self._faults(*FAULTS)):
            for verb in ("create", "update", "read", "delete"):
                shown += self._troubled_life(lab, target, fault, verb)
        secrets |= set(secrets_in(tuple(lab.answers)))
        if not secrets:
            nothing_to_test("no sample has a secret in it")

        texts = {**_texts(lab), "the log": caplog.text, "what the remote shows": shown}
        assert leaks(secrets, texts) == []

    # K9

    @holds
    @each(_lives)
    def test_k9_faults_become_our_errors(self, lab: Lab, target: Address) -> None:
        for fault in self._faults(*FAULTS):
            held = lab.hold(target)
            self._meets(lab, held, fault, "create")
            lab.finish("create", held)
            self._meets(lab, held, fault, "read")
            held.wanted = lab.schema(target).build({**lab.schema(target).dump(held.applied), **lab.changed(target)})
            if not isinstance(lab.kind(target), Expands):
                self._meets(lab, held, fault, "update")
            held.applied, held.wanted = held.wanted, None
            self._meets(lab, held, fault, "delete")
            lab.remove(held)

    @holds
    @each(_lives)
    def test_k9_what_is_gone_is_told(self, lab: Lab, target: Address) -> None:
        self.try_only("lose")
        held = lab.make(target)
        lab.remote.lose(str(held.id))
        assert lab.read(held) == Absent()
        if lab.changed(target):
            with pytest.raises(ProviderError) as caught:
                lab.change(evolve(held), lab.changed(target))
            assert caught.value.remedy, "an error about what is gone needs a remedy"
        lab.remove(held)

    # abilities

    @holds
    @each(_looks)
    def test_a1_a_lookup_finds_and_writes_nothing(self, lab: Lab, target: Address) -> None:
        held, missing = lab.hold(target), lab.hold(target)
        missing.wanted = evolve(missing.wanted, **lab.changed(target))
        before = lab.remote.writes()
        first, second, none = lab.read(held), lab.read(held), lab.read(missing)

        assert isinstance(first, Seen), f"the sample is not found: {first}"
        assert set(first.outputs) == set(Schema.of(lab.kind(target).outputs).fields)
        assert (second, none) == (first, Absent())
        assert lab.remote.writes() == before

    @holds
    @each(_having(Acts))
    def test_a2_an_action_happens_once(self, lab: Lab, target: Address) -> None:
        for action in self.samples[str(target)].actions:
            held = lab.make(target)
            before = lab.read(held)
            writes, steps = self._action(lab, held, action)
            assert _props(lab.read(held)) == _props(before), f"{action} changed a property"
            lab.remove(held)
            for step in range(steps):
                held = lab.make(target)
                lab.lose_answer = lab.steps_made + step
                written, _ = self._action(lab, held, action)
                lab.lose_answer = -1
                assert written == writes, f"{action} was done again after its answer {step} was lost"
                lab.remove(held)

    @holds
    @each(_having(Expands))
    def test_a3_steps_lead_where_the_change_was_to_lead(self, lab: Lab, target: Address) -> None:
        held = lab.make(target)
        changed = lab.changed(target)
        with touching_nothing() as touched:
            steps = lab.steps(held, changed)

        assert touched == []
        assert steps == lab.steps(held, changed)
        assert {step.address for step in steps} == {target}
        assert len({step.id for step in steps}) == len(steps), "steps cannot be told apart"
        updates = [step for step in steps if isinstance(step, Update)]
        assert dict(updates[-1].wanted) == {**lab.schema(target).dump(held.applied), **changed}
        known = self.samples[str(target)].actions
        assert {step.action for step in steps if isinstance(step, Run)} <= set(known), "actions without a sample"

    @holds
    @each(_having(Imports))
    def test_a4_what_others_made_is_found_and_taken_over(self, lab: Lab, target: Address) -> None:
        props = lab.props(target)
        id_ = lab.remote.by_hand(target.kind, props)
        found = self._find(lab, target, id_, "nobody")
        assert found["nobody"] == Absent()
        reading = found[id_]
        assert isinstance(reading, Seen)
        schema = lab.schema(target)
        assert same(schema, props, reading.props) == {}
        births = {name for name, item in schema.fields.items() if item.marks.birth and item.marks.readable}
        assert births <= set(reading.props), "what was used at birth and can be read is missing"

        held = evolve(lab.hold(target), id=id_)
        again = evolve(held)
        lab.finish("adopt", held)
        lab.finish("adopt", again)
        assert (held.outputs.id, again.outputs.id) == (id_, id_)
        assert _props(lab.read(evolve(held, id=None))) == _props(lab.read(held))
        self._reads_as(lab, held, lab.read(held))

    @holds
    @each(_having(Imports))
    def test_a4_what_belongs_to_others_is_not_taken_over(self, lab: Lab, target: Address) -> None:
        theirs = lab.make(target, lineage=OTHER_LINEAGE)
        before = lab.read(theirs)
        with pytest.raises(Fatal):
            lab.finish("adopt", evolve(lab.hold(target), id=theirs.id))

        assert lab.read(theirs) == before

    @holds
    @each(_lives)
    def test_a5_limits_are_pure(self, lab: Lab, target: Address, settings: Mapping[str, Value]) -> None:
        provider: Any = self.provider
        if not isinstance(provider, Limited):
            nothing_to_test("the provider tells no limits")
        job = lab.hold(target).job()
        unknown = dict.fromkeys(Schema.of(self.provider.settings).fields, Unknown())
        with touching_nothing() as touched:
            limits = [provider.limits(given) for given in ({}, unknown, settings)]
            endpoints = {provider.called_at(job), provider.called_at(job)}

        assert touched == []
        assert all(isinstance(found, Limits) for found in limits)
        assert len(endpoints) == 1

    @holds
    @each(_having(PlansDeletion, TellsConsequence, Interrupts, WeighsDrift, Erases))
    def test_a5_manners_and_consequences_are_pure(self, lab: Lab, target: Address) -> None:
        kind, props = lab.kind(target), lab.props(target)
        readings: tuple[Reading | None, ...] = (None, Absent(), Unreachable("no answer"), Seen(props))
        changes = [FieldChange((name,), props.get(name), value) for name, value in lab.changed(target).items()]
        with touching_nothing() as touched:
            for _ in range(2):
                if isinstance(kind, PlansDeletion):
                    manners = [kind.how(target, frozenset({target}), reading) for reading in readings]
                    assert all(isinstance(text, str) for manner in manners for text in manner)
                for reading in readings if isinstance(kind, Erases) else ():
                    for manner in _manners(kind, target, reading):
                        erased = kind.erasure({**props, **lab.changed(target)}, manner, reading)
                        assert erased == kind.erasure({**props, **lab.changed(target)}, manner, reading)
                        assert erased is None or erased.what, "an erasure names what it erases"
                        assert erased is None or erased.spared, "an erasure names the manner that does without it"
                if isinstance(kind, TellsConsequence) and changes:
                    assert kind.consequence(changes) == kind.consequence(changes)
                if isinstance(kind, Interrupts):
                    update = Update(address=target, provider="", wanted=props, changes=tuple(changes))
                    assert {kind.interrupts(update), kind.interrupts(update)} in ({True}, {False}), "yes or no"
                for drift in (changes, []) if isinstance(kind, WeighsDrift) else ():
                    assert kind.severity(drift) == kind.severity(drift)
                    assert kind.severity(drift) in get_args(Severity), "a severity of the house's"

        assert touched == []

    @holds
    @each(_having(TellsBirth))
    def test_a5_births_are_pure(self, lab: Lab, target: Address) -> None:
        kind: Any = lab.kind(target)
        known = Schema.of(kind.props).normal(lab.props(target))
        with touching_nothing() as touched:
            told = [kind.birth(wanted) for wanted in (known, known, dict.fromkeys(known, Unknown()))]

        assert touched == []
        assert told[0] == told[1]
        assert all(isinstance(text, str) for text in told)

    @holds
    @each(_having(Patient))
    def test_a5_patience_is_pure(self, lab: Lab, target: Address) -> None:
        kind: Any = lab.kind(target)
        job = lab.hold(target).job()
        with touching_nothing() as touched:
            first, second = kind.takes_s(job), kind.takes_s(job)

        assert touched == []
        assert first == second > 0

    @holds
    @each(_having(Gate))
    def test_a6_a_gate_writes_nothing(self, lab: Lab, target: Address) -> None:
        before = lab.remote.writes()
        answer = lab.call("check", lab.hold(target))

        assert lab.remote.writes() == before
        match answer:
            case Done(outputs):
                assert isinstance(outputs, lab.kind(target).outputs)
            case Pending(note=note):
                assert note, "a gate that does not pass says what is missing"

    @holds
    @each(_lives)
    def test_a7_what_bears_a_mark_is_listed(self, lab: Lab, target: Address) -> None:
        self._lists(target)
        for lineage in (LINEAGE, OTHER_LINEAGE):
            held = lab.make(target, lineage=lineage)
            before = lab.remote.writes()
            listed = self._owned(lab)
            written = lab.remote.writes() - before
            lab.remove(held)

            told = {(one.kind, one.id): (one.key, one.lineage) for one in listed}
            assert len(told) == len(listed), "something is listed twice"
            assert told.get((target.kind, str(held.outputs.id))) == (held.key, lineage)
            assert all(one.key and one.lineage for one in listed), "something without a mark is listed"
            assert written == 0, "listing has written something"
            assert held.key not in {one.key for one in self._owned(lab)}, "what is gone is listed"

    @holds
    @each(_lives)
    def test_a7_what_is_listed_can_be_removed(self, lab: Lab, target: Address) -> None:
        self._lists(target)
        held = lab.make(target)
        lab.drop()
        _despite_errors(lambda: lab.finish("delete", Held(target, held.key, OTHER_LINEAGE, id=str(held.outputs.id))))
        still = lab.read(held)
        lab.finish("delete", Held(target, held.key, held.lineage, id=str(held.outputs.id)))

        assert isinstance(still, Seen), "it was removed with the lineage of another state"
        assert lab.read(held) == Absent()

    def _lists(self, target: Address) -> None:
        self.try_only(f"{target.kind} listed")
        if not isinstance(self.provider, ListsOwned):
            nothing_to_test("the provider does not list what is ours")

    def _owned(self, lab: Lab) -> Sequence[Owned]:
        provider: Any = self.provider
        found: Sequence[Owned] = lab.attempt("list", lambda: provider.list_owned(lab.client(), lab.process.about("")))
        return found

    @holds
    @each(_having(Kind))
    def test_a8_serving_changes_nothing(self, lab: Lab, target: Address) -> None:
        provider: Any = self.provider
        if not isinstance(provider, Serves):
            nothing_to_test("the provider serves nothing")
        jobs, before = [lab.hold(target).job()], lab.remote.writes()
        answers = [provider.serve(lab.client(), jobs, lab.process.about("")) for _ in range(2)]
        numbers = [fetch.number for fetch in provider.fetched(lab.client())]

        assert lab.remote.writes() == before
        assert all({job.key for job in jobs} == set(answer) for answer in answers)
        assert all(isinstance(waits, str) for answer in answers for waits in answer.values())
        assert numbers == sorted(set(numbers))

    # what is owed to the rules

    def test_the_samples_say_enough(self) -> None:
        """Each kind has a sample, and its samples have another value for all that changes in place."""
        assert sorted(self._missing()) == []

    def _missing(self) -> Iterator[str]:
        for name, kind in self.provider.kinds.items():
            samples = [sample for text, sample in self.samples.items() if Address.parse(text).kind == name]
            found = [f"{name}: no sample"] if not samples else list(_lacking(name, kind, samples))
            yield from (text for text in found if text.partition(":")[0] not in self.cannot)

    # what tests are made of

    def _faults(self, *wanted: Fault) -> list[Fault]:
        return [fault for fault in wanted if fault not in self.cannot]

    def _reads_as(self, lab: Lab, held: Held, reading: Reading) -> None:
        """A reading is of this object, and as it was wanted."""
        assert isinstance(reading, Seen), f"{held.address} reads as {reading}"
        assert same(lab.schema(held.address), lab.schema(held.address).dump(held.applied), reading.props) == {}
        assert reading.outputs.get("id", held.outputs.id) == held.outputs.id

    def _life(self, lab: Lab, target: Address) -> tuple[int, int]:
        """A whole life; how much was written, and how many steps it took."""
        lab.props(target)  # what it refers to is made before the counting begins
        changed = lab.changed(target)
        lab.steps_made, before, there = 0, lab.remote.writes(), lab.remote.existing()
        held = lab.make(target)
        assert lab.remote.existing() - there == {held.outputs.id}
        if changed:
            lab.change(held, changed)
        self._reads_as(lab, held, lab.read(held))
        lab.remove(held)
        assert lab.remote.existing() == there
        return lab.remote.writes() - before, lab.steps_made

    def _troubled_life(self, lab: Lab, target: Address, fault: Fault | None, verb: str) -> str:
        """A life in which a verb meets a fault, given up where it says so; what the remote showed meanwhile."""
        held = lab.hold(target)
        if fault is not None and not lab.remote.fail(fault, target.kind, verb):
            return ""
        shown = ""
        if _despite_errors(lambda: lab.finish("create", held)) is not None:
            lab.finish("create", held)
        for work in (
            lambda: lab.change(held, lab.changed(target)),
            lambda: lab.read(held),
        ):
            _despite_errors(work)
            shown += lab.remote.shown()
        if _despite_errors(lambda: lab.remove(held)) is not None:
            lab.remove(held)
        return shown

    def _meets(self, lab: Lab, held: Held, fault: Fault, verb: str) -> None:
        """The verb meets the fault once and tells it as an error of ours."""
        if not lab.remote.fail(fault, held.address.kind, verb):
            return
        found = _read_or_error(lab, held) if verb == "read" else _called_or_error(lab, verb, held)
        what = f"{fault} during {verb}"
        if verb == "read" and isinstance(found, Unreachable):
            assert found.reason, f"{what}: unreachable without a reason"
            return
        if isinstance(found, Pending) and Retry in EXPECTED[fault]:
            assert found.note, f"{what}: it waits without saying for what"
            return
        assert isinstance(found, EXPECTED[fault]), f"{what} becomes {found!r}"
        assert found.summary, f"{what}: no summary"
        assert found.remedy or isinstance(found, Retry), f"{what}: no remedy"
        assert not (isinstance(found, EndpointDown) and fault not in ("timeout", "lost")), f"{what}: it did answer"

    def _action(self, lab: Lab, held: Held, action: str) -> tuple[int, int]:
        before, steps = lab.remote.writes(), lab.steps_made
        held.how = action
        lab.finish("run", held)
        held.how = ""
        return lab.remote.writes() - before, lab.steps_made - steps

    def _find(self, lab: Lab, target: Address, *ids: str) -> Mapping[str, Reading]:
        kind, ctx = lab.kind(target), lab.process.about("")
        found: Mapping[str, Reading] = lab.attempt("find", lambda: kind.find(lab.client(), ids, ctx))
        return found


def _tells_secrets(kind: Any) -> bool:
    """Whether a secret may be among the outputs of a kind."""
    return any(item.marks.secret for item in Schema.of(kind.outputs).fields.values())


def _manners(kind: Any, target: Address, reading: Reading | None) -> tuple[str, ...]:
    """The manners in which an object goes for good, and makes way for one that is made anew."""
    if not isinstance(kind, PlansDeletion):
        return ("",)
    return tuple(kind.how(target, going, reading)[0] for going in (frozenset({target}), frozenset[Address]()))


def _erases_something(kind: Erases, name: str, sample: Sample) -> bool:
    props = {**sample.props, **sample.changed}
    return any(kind.erasure(props, manner, None) for manner in _manners(kind, Address(name, "one"), None))


def _lacking(name: str, kind: Any, samples: list[Sample]) -> Iterator[str]:
    if isinstance(kind, Gate):
        return
    if not isinstance(kind, Kind):
        if not any(sample.changed for sample in samples):
            yield f"{name}: `changed` shall have props for which nothing is there"
        return
    given = {key for sample in samples for key, value in sample.props.items() if value is not None}
    changed = {key for sample in samples for key, value in sample.changed.items() if sample.props.get(key) != value}
    for key, item in Schema.of(kind.props).fields.items():
        if not (item.marks.immutable or item.marks.birth) and key not in changed:
            yield f"{name}.{key}: no sample has another value in `changed`"
        if item.marks.secret and key not in given:
            yield f"{name}.{key}: no sample has this secret"
    if isinstance(kind, Erases) and not any(_erases_something(kind, name, sample) for sample in samples):
        yield f"{name}: no sample has something that is erased with it"
    if isinstance(kind, Acts) and not any(sample.actions for sample in samples):
        yield f"{name}: no sample has `actions`"


def _read_or_error(lab: Lab, held: Held) -> Reading | ProviderError:
    try:
        return lab.read(held)
    except ProviderError as err:
        return err


def _called_or_error(lab: Lab, verb: str, held: Held) -> Any:
    """The first error of a verb; else the last answer before it is done, which a fault may have made it give."""
    last: Any = None
    for _ in range(MANY):
        try:
            answer = lab.call(verb, evolve(held))
        except ProviderError as err:
            return err
        lab.passes(answer.after_s if isinstance(answer, Pending) else 0.0)
        if isinstance(answer, Done):
            break
        last = answer
        held.id, held.phase, held.memo = answer.id or held.id, answer.phase, answer.memo
    return last


def _despite_errors(work: Callable[[], Any]) -> ProviderError | None:
    try:
        work()
    except ProviderError as err:
        return err
    return None


def _props(reading: Reading) -> Mapping[str, Value] | None:
    return reading.props if isinstance(reading, Seen) else None


def _texts(lab: Lab) -> dict[str, str]:
    """All that people or records get to see."""
    outputs = [answer.outputs for answer in lab.answers if isinstance(answer, Done) and answer.outputs is not None]
    return {
        "a sentence for people": "\n".join((*lab.process.said, *lab.notes)),
        "an error": "\n".join(
            f"{err!r} {err.summary} {err.detail} {err.remedy} {err.__cause__!r}" for err in lab.errors
        ),
        "a checkpoint": "\n".join(f"{job.id} {job.phase} {dict(job.memo)}" for job in lab.jobs),
        "the repr of a job": "\n".join(map(repr, lab.jobs)),
        "the repr of an answer": "\n".join(map(repr, lab.answers)),
        "a plain output": "\n".join(_plain_outputs(made) for made in outputs),
    }


def _plain_outputs(outputs: Any) -> str:
    values = Schema.of(type(outputs)).dump(outputs)
    return "\n".join(str(leaf) for _, leaf in leaves(values) if not has_secret(leaf))


__all__ = ["LINEAGE", "KindSuite", "Sample", "each"]
