"""Every rule of the kit catches somebody who breaks it: a rule that catches nothing is no rule."""

from __future__ import annotations

import base64
import inspect
import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from fakes.toy_maker import ToyMaker
from fakes.toy_remote import ToyRemote
from fakes.toy_stock import STOCK, ToyStock

from provisioner.conformance.kind_suite import KindSuite, Sample
from provisioner.conformance.lab import LINEAGE, Lab
from provisioner.conformance.provider_suite import ProviderSuite
from provisioner.conformance.rules import ABILITY_RULES, KIND_RULES, PROVIDER_RULES
from provisioner.conformance.toy import (
    POLL_S,
    GateKind,
    ImageKind,
    ServerKind,
    ThingKind,
    ToyProvider,
    VaultKind,
)
from provisioner.sdk import (
    Absent,
    Address,
    Done,
    Erasure,
    Fetch,
    OperatorNeeded,
    Owned,
    Pending,
    ProvError,
    ProviderError,
    Retry,
    Secret,
    Seen,
    Unreachable,
    Update,
    output,
)

CANARY = "planted-token"
SAMPLES = {
    "toy.thing/one": Sample(
        {"name": "one", "token": Secret(CANARY), "seed": Secret("planted-seed"), "label": "old"},
        changed={"size": 2, "parts": {"wheels": 4}},
    ),
    "toy.vault/one": Sample({"name": "one"}, changed={"size": 2}),
    "toy.server/one": Sample(
        {"version": 1}, changed={"version": 3}, actions=("snapshot", "drain", "reboot", "uncordon")
    ),
    "toy.image/talos": Sample({"name": "talos"}, changed={"name": "nothing"}),
    "toy.gate/one": Sample({}),
}
CAUGHT = (AssertionError, ProviderError, pytest.fail.Exception)
BITTEN: dict[str, list[Any]] = {}
"""What breaks each rule, by test of the kit."""


def breaks(*tests: str) -> Callable[[Any], Any]:
    def mark(broken: Any) -> Any:
        for test in tests:
            BITTEN.setdefault(test, []).append(broken)
        return broken

    return mark


# kinds that break a rule


@breaks("test_k1_what_is_not_made_is_absent")
class NeverSure(ThingKind):
    def _reading(self, cloud, job):
        found = super()._reading(cloud, job)
        return Unreachable("perhaps it is somewhere") if found == Absent() else found


@breaks("test_k1_what_was_made_reads_as_wanted")
class ReadsTheDefault(ThingKind):
    def _seen(self, thing):
        found = super()._seen(thing)
        return Seen({**found.props, "token": None})


@breaks("test_k1_what_was_made_reads_as_wanted")
class TellsHalf(ThingKind):
    def _seen(self, thing):
        return Seen({"name": thing.props.name})


@breaks("test_k1_what_was_made_reads_as_wanted")
class KnowsIdsOnly(ThingKind):
    def _reading(self, cloud, job):
        return super()._reading(cloud, job) if job.id else Unreachable("it has no id yet")


@breaks("test_k1_many_are_read_with_few_requests")
class AsksOneByOne(ThingKind):
    def read(self, client, jobs, ctx):
        found = {}
        for job in jobs:
            found |= super().read(client, [job], ctx)
        return found


@breaks("test_k1_silence_is_not_absence")
class TakesSilenceForAbsence(ThingKind):
    def _reading(self, cloud, job):
        found = super()._reading(cloud, job)
        return Absent() if isinstance(found, Unreachable) else found


@breaks(
    "test_k2_create_twice_makes_one",
    "test_k2_create_that_was_cut_off_makes_one",
    "test_k7_a_life_whose_answers_are_lost_goes_on",
)
class MakesAnother(ThingKind):
    """Goes by the id that it was told, and there is none where the answer was lost."""

    def create(self, client, job, ctx):
        if job.id is None and job.key in client.cloud.things:
            client.cloud.things[f"older-{len(client.cloud.things)}"] = client.cloud.things.pop(job.key)
        return super().create(client, job, ctx)


@breaks("test_k2_what_belongs_to_others_is_never_taken")
class AdoptsByName(ThingKind):
    def create(self, client, job, ctx):
        for key, thing in client.cloud.things.items():
            if thing.remote == job.wanted.name and key != job.key:
                return Done(self.outputs(thing.id, "", 1))
        return super().create(client, job, ctx)


@breaks("test_k2_what_belongs_to_others_is_never_taken")
class RetriesForEver(ThingKind):
    def create(self, client, job, ctx):
        try:
            return super().create(client, job, ctx)
        except ProviderError as err:
            raise Retry("the name is taken") from err


@breaks("test_k3_update_makes_it_so", "test_k4_each_property_changes_in_place", "test_k9_what_is_gone_is_told")
class ChangesNothing(ThingKind):
    def update(self, client, job, ctx):
        return Done(job.outputs)


@breaks("test_k3_without_a_difference_nothing_is_written")
class WritesAlways(ThingKind):
    def update(self, client, job, ctx):
        client.cloud.writes += 1
        return super().update(client, job, ctx)


@breaks("test_k4_each_property_changes_in_place")
class ReplacesInSilence(ThingKind):
    def update(self, client, job, ctx):
        if client.cloud.thing(job).props.size != job.wanted.size:
            client.cloud.remove(job)
            client.cloud.make(job, job.wanted.name)
        return super().update(client, job, ctx)


@breaks("test_k5_delete_twice_is_quiet")
class MissesWhatIsGone(ThingKind):
    def delete(self, client, job, ctx):
        client.cloud.thing(job)
        return super().delete(client, job, ctx)


@breaks("test_k5_delete_twice_is_quiet")
class DeletesNothing(ThingKind):
    def delete(self, client, job, ctx):
        return Done(None)


@breaks("test_k5_what_belongs_to_others_survives")
class DeletesByName(ThingKind):
    def delete(self, client, job, ctx):
        client.cloud.lose(job.address.name)
        return super().delete(client, job, ctx)


@breaks("test_k6_no_verb_waits")
class Sleeps(ThingKind):
    def create(self, client, job, ctx):
        time.sleep(0.001)
        return super().create(client, job, ctx)


@breaks("test_k6_no_verb_waits")
class WaitsForTheRemote(ThingKind):
    def create(self, client, job, ctx):
        threading.Event().wait(600.0)
        return super().create(client, job, ctx)


@breaks("test_k7_a_life_dropped_between_calls_goes_on")
class RemembersInTheProcess(ThingKind):
    def __init__(self):
        self.begun = []

    def create(self, client, job, ctx):
        if not any(known is client for known, _ in self.begun):
            self.begun.append((client, job))
            client.cloud.writes += 1
            return Pending(after_s=POLL_S, note="begun")
        return super().create(client, job, ctx)


@breaks("test_k7_a_life_whose_answers_are_lost_goes_on")
class TrustsItsPhase(ThingKind):
    """Makes it in one call and finds it in the next, and only ever looks for it in the next."""

    def create(self, client, job, ctx):
        if job.phase == "made":
            return super().create(client, job, ctx)
        thing = client.cloud.make(evolve(job, key=job.key if job.key not in client.cloud.things else "k2"), "one")
        return Pending(thing.id, "made", after_s=POLL_S, note="made")


def telling(tell: Callable[[Any, Any, str], None]) -> Any:
    """A kind that lets its secret out while it makes something."""

    class Telling(ThingKind):
        def create(self, client, job, ctx):
            tell(client, ctx, job.wanted.token.reveal())
            return super().create(client, job, ctx)

    return Telling


for told in (
    lambda client, ctx, token: ctx.say(f"uses {token}"),
    lambda client, ctx, token: ctx.say(base64.b64encode(token.encode()).decode()),
    lambda client, ctx, token: logging.getLogger("acme").debug("token %s", token),
):
    breaks("test_k8_secrets_show_nowhere")(telling(told))


@breaks("test_k8_secrets_show_nowhere")
class NotesItDown(ThingKind):
    def create(self, client, job, ctx):
        if not job.phase:
            return Pending(phase="begun", memo={"token": job.wanted.token.reveal()}, note="begun")
        return super().create(client, job, ctx)


@breaks("test_k8_secrets_show_nowhere")
class ComplainsAboutIt(ThingKind):
    def read(self, client, jobs, ctx):
        try:
            return super().read(client, jobs, ctx)
        except Retry as err:
            raise Retry("no answer", detail=f"asked with {jobs[0].applied.token.reveal()}") from err


@breaks("test_k8_secrets_show_nowhere")
class TagsIt(ThingKind):
    def create(self, client, job, ctx):
        answer = super().create(client, job, ctx)
        client.cloud.find("one").remote = f"one-{job.wanted.token.reveal()}"
        return answer


@frozen
class PlainOutputs:
    id: str = output()
    address: str = output(default="")
    revision: int = output(volatile=True, default=1)
    token: str = output(default="")


@breaks("test_k8_secrets_show_nowhere")
class GivesItAway(ThingKind):
    outputs = PlainOutputs

    def create(self, client, job, ctx):
        return Done(PlainOutputs(super().create(client, job, ctx).outputs.id, token=job.wanted.token.reveal()))

    def update(self, client, job, ctx):
        return Done(PlainOutputs(super().update(client, job, ctx).outputs.id))


@breaks("test_k9_faults_become_our_errors")
class CallsEverythingARetry(ThingKind):
    def create(self, client, job, ctx):
        try:
            return super().create(client, job, ctx)
        except ProviderError as err:
            raise Retry("it did not work") from err


@breaks("test_k9_faults_become_our_errors")
class LeavesPeopleAlone(ThingKind):
    def delete(self, client, job, ctx):
        try:
            return super().delete(client, job, ctx)
        except OperatorNeeded as err:
            raise OperatorNeeded(err.summary) from err


@breaks("test_k9_faults_become_our_errors")
class SwallowsFaults(ThingKind):
    def update(self, client, job, ctx):
        try:
            return super().update(client, job, ctx)
        except ProviderError:
            return Done(job.outputs)


@breaks("test_k9_what_is_gone_is_told")
class IsNeverSureWhatIsGone(ThingKind):
    def _reading(self, cloud, job):
        found = super()._reading(cloud, job)
        return Unreachable("gone?") if found == Absent() and job.id else found


# abilities


@breaks("test_a1_a_lookup_finds_and_writes_nothing")
class TellsHalfOfAnImage(ImageKind):
    def _reading(self, cloud, job):
        found = super()._reading(cloud, job)
        return Seen({}, {"id": found.outputs["id"]}) if isinstance(found, Seen) else found


@breaks("test_a1_a_lookup_finds_and_writes_nothing")
class NotesWhoAsked(ImageKind):
    def read(self, client, jobs, ctx):
        client.cloud.writes += 1
        return super().read(client, jobs, ctx)


@breaks("test_a2_an_action_happens_once")
class RebootsAgain(ServerKind):
    def run(self, client, job, ctx):
        if job.how == "reboot":
            server = client.cloud.thing(job)
            client.cloud.change(server, boots=server.boots + 1)
            return Done(None)
        return super().run(client, job, ctx)


@breaks("test_a2_an_action_happens_once")
class ChangesWhileActing(ServerKind):
    def run(self, client, job, ctx):
        server = client.cloud.thing(job)
        client.cloud.change(server, props=evolve(server.props, size=7))
        return super().run(client, job, ctx)


@breaks("test_a3_steps_lead_where_the_change_was_to_lead")
class StopsHalfway(ServerKind):
    def expand(self, update):
        return [step for step in super().expand(update) if not (isinstance(step, Update) and step.part == "3")]


@breaks("test_a3_steps_lead_where_the_change_was_to_lead")
class CallsAllStepsTheSame(ServerKind):
    def expand(self, update):
        return [evolve(step, part="") for step in super().expand(update)]


@breaks("test_a4_what_others_made_is_found_and_taken_over")
class FindsHalf(ThingKind):
    def _found(self, thing):
        return self._seen(thing)


@breaks("test_a4_what_others_made_is_found_and_taken_over")
class ImprovesWhatItAdopts(ThingKind):
    def adopt(self, client, job, ctx):
        answer = super().adopt(client, job, ctx)
        client.cloud.drift(job.address.name, size=9)
        return answer


@breaks("test_a4_what_belongs_to_others_is_not_taken_over")
class AdoptsAnything(ThingKind):
    def adopt(self, client, job, ctx):
        for thing in client.cloud.things.values():
            thing.lineage = ""
        return super().adopt(client, job, ctx)


@breaks("test_a5_manners_and_consequences_are_pure")
class LooksAtTheDisk(VaultKind):
    def how(self, address, going, reading):
        Path(__file__).read_text()
        return super().how(address, going, reading)


@breaks("test_a5_manners_and_consequences_are_pure")
class MakesUpSeverities(VaultKind):
    def severity(self, changes):
        return "terrible"


@breaks("test_a5_manners_and_consequences_are_pure")
class SaysPerhaps(VaultKind):
    def interrupts(self, update):
        return "perhaps"


@breaks("test_a5_births_are_pure")
class IsBornOfAFile(ServerKind):
    def birth(self, wanted):
        Path(__file__).read_text()
        return super().birth(wanted)


@breaks("test_a5_patience_is_pure")
class LosesPatience(ServerKind):
    def takes_s(self, job):
        Path(__file__).read_text()
        return super().takes_s(job)


@breaks("test_a5_manners_and_consequences_are_pure")
class ErasesNothingInParticular(VaultKind):
    def erasure(self, props, how, reading):
        return Erasure(())


@breaks("test_a5_manners_and_consequences_are_pure")
class ErasesWithoutAWayOut(VaultKind):
    def erasure(self, props, how, reading):
        return Erasure(("/dev/sdb",), "it does not answer")


@breaks("test_a5_manners_and_consequences_are_pure")
class ErasesOtherThingsEachTime(VaultKind):
    counted = 0

    def erasure(self, props, how, reading):
        type(self).counted += 1
        return Erasure((f"/dev/sd{self.counted}",), spared="what it can")


@breaks("test_a6_a_gate_writes_nothing")
class OpensItself(GateKind):
    def check(self, client, job, ctx):
        client.cloud.writes += 1
        return super().check(client, job, ctx)


@breaks("test_a6_a_gate_writes_nothing")
class SaysNothing(GateKind):
    def check(self, client, job, ctx):
        return Pending()


@breaks("test_a5_limits_are_pure")
class ReadsLimitsFromAFile(ToyProvider):
    def limits(self, settings):
        Path(__file__).read_text()
        return super().limits(settings)


@breaks("test_a8_serving_changes_nothing")
class MakesWhatItServes(ToyProvider):
    def serve(self, client, jobs, ctx):
        client.cloud.writes += 1
        return super().serve(client, jobs, ctx)


@breaks("test_a8_serving_changes_nothing")
class CountsNothing(ToyProvider):
    def fetched(self, client):
        return [Fetch(1, datetime.now(UTC), "a", "config", 200, "10.0.0.1")] * 2


@breaks("test_a7_what_bears_a_mark_is_listed")
class ListsItsOwnStateOnly(ToyProvider):
    def list_owned(self, client, ctx):
        return [one for one in super().list_owned(client, ctx) if one.lineage == LINEAGE]


@breaks("test_a7_what_bears_a_mark_is_listed")
class ListsWhatWasMadeByHand(ToyProvider):
    def list_owned(self, client, ctx):
        return [*super().list_owned(client, ctx), Owned("toy.thing", "toy-0", "", "")]


@breaks("test_a7_what_is_listed_can_be_removed")
class RemovesForAnybody(ThingKind):
    def delete(self, client, job, ctx):
        client.cloud.things.pop(job.key, None)
        return Done(None)


@breaks("test_a7_what_is_listed_can_be_removed")
class NeedsTheRecord(ThingKind):
    def delete(self, client, job, ctx):
        return super().delete(client, job, ctx) if job.applied else Done(None)


PATIENCE_S = 60.0
KINDS = [(test, broken) for test, found in BITTEN.items() for broken in found]


@pytest.mark.parametrize(("test", "broken"), KINDS)
def test_a_kind_that_breaks_a_rule_is_caught(test: str, broken: type[Any], caplog: pytest.LogCaptureFixture) -> None:
    target = _target(broken)
    kind = () if issubclass(broken, ToyProvider) else {target.kind: broken()}
    provider = type("Broken", (broken if issubclass(broken, ToyProvider) else ToyProvider,), {})
    provider.kinds = {**ToyProvider.kinds, **dict(kind)}  # type: ignore[attr-defined]

    with pytest.raises(CAUGHT):
        _tried(test, provider, target, caplog, patience_s=0.3 if "waits" in test else PATIENCE_S)


@pytest.mark.parametrize("test", sorted(BITTEN))
def test_the_same_kinds_unbroken_pass(test: str, caplog: pytest.LogCaptureFixture) -> None:
    """So it is the break that is caught, and nothing else."""
    for broken in BITTEN[test]:
        _tried(test, ToyProvider, _target(broken), caplog, patience_s=PATIENCE_S)


def _target(broken: type[Any]) -> Address:
    kinds = {ImageKind: "toy.image/talos", ServerKind: "toy.server/one", GateKind: "toy.gate/one"}
    kinds |= {VaultKind: "toy.vault/one", ThingKind: "toy.thing/one", ToyProvider: "toy.thing/one"}
    return Address.parse(next(text for base, text in kinds.items() if issubclass(broken, base)))


def _tried(
    test: str, provider: type[ToyProvider], target: Address, caplog: pytest.LogCaptureFixture, *, patience_s: float
) -> None:
    remote = ToyRemote(kinds=provider.kinds)
    remote.cloud.images["talos"] = "sha256:1"
    made = provider(remote.cloud)
    suite = type("Suite", (KindSuite,), {"provider": made, "samples": SAMPLES})()
    lab = Lab(made, lambda: made.connect(made.settings()), remote, SAMPLES)
    lab.watcher.patience_s = patience_s
    given = {"lab": lab, "target": target, "settings": {}, "caplog": caplog}
    rule = getattr(suite, test)
    rule(**{name: given[name] for name in inspect.signature(rule).parameters})


# designs that break a rule


class Dicing(ToyMaker):
    counted = 0

    def thing(self, node, part, boot):
        type(self).counted += 1
        return {**super().thing(node, part, boot), "size": self.counted}


class ReadingFiles(ToyMaker):
    def thing(self, node, part, boot):
        Path(__file__).read_text()
        return super().thing(node, part, boot)


class SharingMachines(ToyMaker):
    def design(self, part, boot):
        made = super().design(part, boot)
        return evolve(made, machines=dict.fromkeys(made.machines, next(iter(made.machines.values()))))


class ForgettingANode(ToyMaker):
    def design(self, part, boot):
        made = super().design(part, boot)
        return evolve(made, machines=dict([*made.machines.items()][1:]))


class LeadingNowhere(ToyMaker):
    def machine(self, node):
        made = super().machine(node)
        return evolve(made, host=evolve(made.host, output="nothing"))


class Misfitting(ToyMaker):
    def thing(self, node, part, boot):
        return {**super().thing(node, part, boot), "size": "large"}


class TooLong(ToyMaker):
    def thing(self, node, part, boot):
        return {**super().thing(node, part, boot), "name": f"{part.topology.cluster}-{node.name}"}


class Truncating(ToyMaker):
    def thing(self, node, part, boot):
        return {**super().thing(node, part, boot), "name": f"{part.topology.cluster}-{node.name}"[:20]}


class Counting(ToyMaker):
    def thing(self, node, part, boot):
        return {**super().thing(node, part, boot), "size": len(part.nodes)}


class Numbering(ToyMaker):
    """Goes by the place in the list instead of the name."""

    def thing(self, node, part, boot):
        return {**super().thing(node, part, boot), "size": len(part.nodes) - part.nodes.index(node)}


class Welcoming(ToyProvider):
    """Connects with anything."""


class Gruff(ToyProvider):
    def connect(self, settings):
        raise OperatorNeeded("no credentials")


class GivingAllTheSame(ToyStock):
    def claim(self, part, held):
        return dict.fromkeys(super().claim(part, held), self.places(part)[0])


class ForgettingTheLast(ToyStock):
    def claim(self, part, held):
        return dict([*super().claim(part, held).items()][:-1])


class CastingLots(ToyStock):
    counted = 0

    def claim(self, part, held):
        type(self).counted += 1
        return {name: f"{place} {self.counted}" for name, place in super().claim(part, held).items()}


class LookingUp(ToyStock):
    def claim(self, part, held):
        Path(__file__).read_text()
        return super().claim(part, held)


class SharingOutAnew(ToyStock):
    """Right by itself each time, so only who holds something else notices."""

    def claim(self, part, held):
        return super().claim(part, {})


class GivingAgain(ToyStock):
    """Gives to newcomers what others hold."""

    def claim(self, part, held):
        kept = {node.name: held[node.name] for node in part.nodes if node.name in held}
        return {**super().claim(part, {}), **kept}


class KeepingTheGone(ToyStock):
    def claim(self, part, held):
        return {**held, **super().claim(part, held)}


class RunningOut(ToyStock):
    def claim(self, part, held):
        try:
            return super().claim(part, held)
        except ProvError as err:
            raise ProvError(err.summary, detail="all are taken", remedy=err.remedy) from None


class AtALoss(ToyStock):
    def claim(self, part, held):
        try:
            return super().claim(part, held)
        except ProvError as err:
            raise ProvError(err.summary, detail=err.detail) from None


class Overbooking(ToyStock):
    def claim(self, part, held):
        places = self.places(part)
        return {node.name: places[number % len(places)] for number, node in enumerate(part.nodes)}


class NeverContent(ToyStock):
    def complaints(self, settings, table, row):
        yield "door", "is shut", "open it"


class WantingToKnow(ToyStock):
    def complaints(self, settings, table, row):
        assert isinstance(row["door"], str)
        yield from ()


class ShowingCodes(ToyStock):
    def single(self, table, row):
        code = row["code"]
        if isinstance(code, Secret | str):
            yield "code", str(code.reveal() if isinstance(code, Secret) else code)


class OneForAll(ToyStock):
    def single(self, table, row):
        yield "door", "the same"


class Knocking(ToyStock):
    def single(self, table, row):
        Path(__file__).read_text()
        return super().single(table, row)


DESIGNS = [
    ("test_p2_design_is_pure", Dicing),
    ("test_p2_design_is_pure", ReadingFiles),
    ("test_p3_each_node_has_one_machine", SharingMachines),
    ("test_p3_each_node_has_one_machine", ForgettingANode),
    ("test_p3_each_node_has_one_machine", LeadingNowhere),
    ("test_p4_every_shipped_plan_fits", Misfitting),
    ("test_p4_names_fit_the_remote", TooLong),
    ("test_p4_names_fit_the_remote", Truncating),
    ("test_p5_what_joins_or_leaves_changes_nothing_about_the_others", Counting),
    ("test_p5_what_joins_or_leaves_changes_nothing_about_the_others", Numbering),
    ("test_p6_missing_credentials_are_told_at_once", Welcoming),
    ("test_p6_missing_credentials_are_told_at_once", Gruff),
    ("test_p7_each_node_is_given_something_of_its_own", GivingAllTheSame),
    ("test_p7_each_node_is_given_something_of_its_own", ForgettingTheLast),
    ("test_p7_each_node_is_given_something_of_its_own", CastingLots),
    ("test_p7_each_node_is_given_something_of_its_own", LookingUp),
    ("test_p7_what_a_node_holds_it_keeps", SharingOutAnew),
    ("test_p7_what_a_node_holds_it_keeps", GivingAgain),
    ("test_p7_what_a_node_holds_it_keeps", KeepingTheGone),
    ("test_p7_a_stock_that_is_too_small_is_told", RunningOut),
    ("test_p7_a_stock_that_is_too_small_is_told", AtALoss),
    ("test_p7_a_stock_that_is_too_small_is_told", Overbooking),
    ("test_p8_rows_are_only_looked_at", NeverContent),
    ("test_p8_rows_are_only_looked_at", WantingToKnow),
    ("test_p8_rows_are_only_looked_at", ShowingCodes),
    ("test_p8_rows_are_only_looked_at", OneForAll),
    ("test_p8_rows_are_only_looked_at", Knocking),
]


@pytest.mark.parametrize(("test", "broken"), DESIGNS)
def test_a_provider_that_breaks_a_rule_is_caught(
    test: str, broken: type[ToyProvider], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"toy.thing.name": r"[a-z0-9-]{1,63}"}
    suite = type("Suite", (ProviderSuite,), {"provider": broken(), "names": names})()
    settings = STOCK if issubclass(broken, ToyStock) else {}
    given: dict[str, Any] = {"settings": settings, "bare_settings": settings, "plan": "single-node"}
    given |= {"tmp_path": tmp_path, "monkeypatch": monkeypatch}
    rule = getattr(suite, test)

    with pytest.raises(CAUGHT):
        rule(**{name: given[name] for name in inspect.signature(rule).parameters})


HARMFUL = {
    "environment": "import os\nHOME = os.environ.get('HOME')\n",
    "disk": "TEXT = open('/etc/hostname').read()\n",
    "network": "import socket\nsocket.socket().close()\n",
    "process": "import subprocess\nsubprocess.run(['true'])\n",
    "sdk": "import sdk_of_acme\n",
}


@pytest.mark.parametrize("harm", sorted(HARMFUL))
def test_a_package_that_does_harm_when_imported_is_caught(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prov_harmful.py").write_text(f"{HARMFUL[harm]}provider = 1\n")
    (tmp_path / "prov_lazy.py").write_text(f"def connect():\n    {HARMFUL[harm].splitlines()[-1]}\nprovider = 1\n")
    (tmp_path / "sdk_of_acme.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    suite = type("Suite", (ProviderSuite,), {"heavy": ("sdk_of_acme",)})()

    suite._point = lambda: EntryPoint("acme", "prov_lazy:provider", "prov.providers")
    suite.test_p1_importing_touches_nothing()
    suite._point = lambda: EntryPoint("acme", "prov_harmful:provider", "prov.providers")
    with pytest.raises(AssertionError):
        suite.test_p1_importing_touches_nothing()


# the kit itself


def test_every_rule_is_known_to_catch_somebody() -> None:
    tables = (*PROVIDER_RULES, *KIND_RULES, *ABILITY_RULES)
    known = {*BITTEN, *(test for test, _ in DESIGNS), "test_p1_importing_touches_nothing"}

    assert {test for rule in tables for test in rule.tests} == known


@pytest.mark.parametrize(
    ("expected", "samples"),
    [
        ("toy.image: no sample", {"toy.thing/one": SAMPLES["toy.thing/one"]}),
        ("toy.thing.note: no sample has another value in `changed`", SAMPLES),
        ("toy.thing.size: no sample has another value in `changed`", {"toy.thing/a": Sample({"name": "a"})}),
        ("toy.thing.token: no sample has this secret", {"toy.thing/a": Sample({"name": "a"})}),
        ("toy.server: no sample has `actions`", {"toy.server/a": Sample({}, changed={"version": 2, "size": 2})}),
        ("toy.image: `changed` shall have props for which nothing is there", {"toy.image/a": Sample({"name": "a"})}),
    ],
)
def test_an_author_who_brought_too_few_samples_is_told(expected: str, samples: Mapping[str, Sample]) -> None:
    suite: Any = type("Suite", (KindSuite,), {"provider": ToyProvider(), "samples": samples})()

    assert expected in set(suite._missing())


def test_an_author_whose_samples_lose_nothing_is_told() -> None:
    """What a removal erases is tried with something to erase, in every manner that there is."""

    class Erasing(VaultKind):
        def erasure(self, props, how, reading):
            return Erasure(("/dev/sdb",), spared="what it can") if props["size"] > 1 else None

    kinds = {**ToyProvider.kinds, "toy.vault": Erasing()}
    provider = type("OfErasing", (ToyProvider,), {"kinds": kinds})()
    told = "toy.vault: no sample has something that is erased with it"
    for expected, size in ((False, 2), (True, 1)):
        samples = {"toy.vault/one": Sample({"name": "one"}, changed={"size": size})}
        suite: Any = type("Suite", (KindSuite,), {"provider": provider, "samples": samples})()

        assert (told in set(suite._missing())) == expected


def test_a_missing_sample_can_be_explained() -> None:
    cannot = {"toy.thing.note": "it says nothing"}
    suite: Any = type("Suite", (KindSuite,), {"provider": ToyProvider(), "samples": SAMPLES, "cannot": cannot})()

    assert not any(text.startswith("toy.thing.note") for text in suite._missing())
