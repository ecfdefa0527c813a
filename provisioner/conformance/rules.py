"""The rules of the house, and what it takes to deviate from one.

The table is the one source: tests take their descriptions from it, and `make docs` makes a page of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from attrs import field, frozen

F = TypeVar("F", bound=Callable[..., Any])


@frozen
class Rule:
    """One rule, and the tests that hold a provider or a store to it: name and what it says."""

    id: str
    title: str
    tests: Mapping[str, str] = field(factory=dict)


PROVIDER_RULES = (
    Rule(
        "P1",
        "importing is harmless",
        {
            "test_p1_importing_touches_nothing": "Importing the package and loading the provider touches neither "
            "network, nor disk, nor environment, and loads no SDK.",
        },
    ),
    Rule(
        "P2",
        "design is pure",
        {
            "test_p2_design_is_pure": "The same topology gives an equal design, with network, disk and processes "
            "out of bounds.",
        },
    ),
    Rule(
        "P3",
        "each node has its machine",
        {
            "test_p3_each_node_has_one_machine": "Each node of the slice has exactly one machine, and its host "
            "and id are outputs of a resource of the design.",
        },
    ),
    Rule(
        "P4",
        "designs fit the schema and the remote",
        {
            "test_p4_every_shipped_plan_fits": "The design of every shipped plan passes the check of its schemas.",
            "test_p4_names_fit_the_remote": "Names stay within what the remote takes, however long the names of "
            "cluster and nodes are.",
        },
    ),
    Rule(
        "P5",
        "what stands stays as it is",
        {
            "test_p5_what_joins_or_leaves_changes_nothing_about_the_others": "Adding a node or a zone changes "
            "nothing about the machines of the nodes that stand; removing a node neither.",
        },
    ),
    Rule(
        "P6",
        "missing credentials are told",
        {
            "test_p6_missing_credentials_are_told_at_once": "Without credentials there is an error with a remedy "
            "within two seconds: when the first object is read, or made where each has an endpoint of its own.",
        },
    ),
    Rule(
        "P7",
        "what a node is given is for life",
        {
            "test_p7_each_node_is_given_something_of_its_own": "Each node of the slice is given something of the "
            "stock, no two of them the same, and the same again each time, with network, disk and processes out of "
            "bounds.",
            "test_p7_what_a_node_holds_it_keeps": "What a node holds it keeps, whoever joins or leaves, whatever its "
            "pool wishes for by now, and in whatever order the stock stands.",
            "test_p7_a_stock_that_is_too_small_is_told": "Where the stock is too small the error names a node that "
            "gets nothing, and a remedy; nothing is given twice.",
        },
    ),
    Rule(
        "P8",
        "rows of tables are only looked at",
        {
            "test_p8_rows_are_only_looked_at": "Rows that are right are not complained of, what only one row can "
            "have is told of fields that are not secret, and both are the same each time, also of values that are "
            "not known yet, without touching anything.",
        },
    ),
)

KIND_RULES = (
    Rule(
        "K1",
        "read tells what is there",
        {
            "test_k1_what_is_not_made_is_absent": "What was never made reads as absent.",
            "test_k1_what_was_made_reads_as_wanted": "After `create`, `read` finds the object by id and by key "
            "alone, and both tell the same: every readable property as it was wanted.",
            "test_k1_many_are_read_with_few_requests": "Reading n jobs costs far fewer than n requests.",
            "test_k1_silence_is_not_absence": "A remote that does not answer makes objects unreachable, never "
            "absent.",
        },
    ),
    Rule(
        "K2",
        "create finds what it made",
        {
            "test_k2_create_twice_makes_one": "`create` twice with one key makes one object.",
            "test_k2_create_that_was_cut_off_makes_one": "`create` makes one object also where the first call "
            "was cut off, with or without an effect.",
            "test_k2_what_belongs_to_others_is_never_taken": "An object of the same name that another state made "
            "is a conflict, or lives side by side with ours; it is never adopted.",
        },
    ),
    Rule(
        "K3",
        "update makes it so, and no more",
        {
            "test_k3_update_makes_it_so": "After `update`, `read` tells the new properties.",
            "test_k3_without_a_difference_nothing_is_written": "`update` without a difference writes nothing.",
        },
    ),
    Rule(
        "K4",
        "what is not immutable changes in place",
        {
            "test_k4_each_property_changes_in_place": "Each property that is neither immutable nor of birth changes "
            "by itself, and the object stays the same one.",
        },
    ),
    Rule(
        "K5",
        "delete is quiet and careful",
        {
            "test_k5_delete_twice_is_quiet": "After `delete`, `read` tells that it is absent; deleting again is "
            "quiet, and so is deleting what was never made.",
            "test_k5_what_belongs_to_others_survives": "An object of the same name that another state made survives.",
        },
    ),
    Rule(
        "K6",
        "no verb waits",
        {
            "test_k6_no_verb_waits": "No verb sleeps or waits for remote progress: a whole life passes on a clock "
            "that moves between calls only.",
        },
    ),
    Rule(
        "K7",
        "a dropped process loses nothing",
        {
            "test_k7_a_life_dropped_between_calls_goes_on": "Where the process is dropped between two calls, the "
            "next one goes on from what is on record, and no finished phase is repeated.",
            "test_k7_a_life_whose_answers_are_lost_goes_on": "Where a call was made and its answer is not on record, "
            "calling again comes to the same end.",
        },
    ),
    Rule(
        "K8",
        "secrets stay secret",
        {
            "test_k8_secrets_show_nowhere": "No secret is in a log line, a sentence for people, an error, a memo, a "
            "repr, a plain output, or what the remote shows openly; not in other spellings either.",
        },
    ),
    Rule(
        "K9",
        "faults become our errors",
        {
            "test_k9_faults_become_our_errors": "What goes wrong at the remote becomes an error of the house that "
            "says whether to repeat, with a remedy where somebody has to act, or a wait that says for what; "
            "afterwards the verb goes on.",
            "test_k9_what_is_gone_is_told": "What vanished reads as absent, is deleted quietly, and cannot be "
            "changed without an error that says so.",
        },
    ),
)

ABILITY_RULES = (
    Rule(
        "A1",
        "lookups only look",
        {
            "test_a1_a_lookup_finds_and_writes_nothing": "A lookup gives all outputs, the same ones each time, and "
            "writes nothing; what is not there is absent.",
        },
    ),
    Rule(
        "A2",
        "actions happen once",
        {
            "test_a2_an_action_happens_once": "An action whose answers are lost is not done again, and changes no "
            "property.",
        },
    ),
    Rule(
        "A3",
        "changes expand into steps that lead there",
        {
            "test_a3_steps_lead_where_the_change_was_to_lead": "The steps of a change are of the same object, are "
            "told apart by their parts, and reach what was wanted.",
        },
    ),
    Rule(
        "A4",
        "taking over changes nothing",
        {
            "test_a4_what_others_made_is_found_and_taken_over": "An object that nobody marked is found by its id as "
            "it is; adopting it, once or twice, marks it and changes nothing else.",
            "test_a4_what_belongs_to_others_is_not_taken_over": "Adopting what another state made is fatal.",
        },
    ),
    Rule(
        "A5",
        "limits and choices are pure",
        {
            "test_a5_limits_are_pure": "Limits are told for settings that are not known yet, and the endpoint of an "
            "object is the same each time, without touching anything.",
            "test_a5_manners_and_consequences_are_pure": "The manner of a removal, what it erases, and what a "
            "change does and whether it interrupts are told for every reading, the same each time, without touching "
            "anything.",
            "test_a5_births_are_pure": "How an object comes to be is told for props of which some are not known yet, "
            "the same each time, without touching anything.",
            "test_a5_patience_is_pure": "How long the work on an object may take is told the same each time, without "
            "touching anything.",
        },
    ),
    Rule(
        "A6",
        "gates only look",
        {
            "test_a6_a_gate_writes_nothing": "A gate passes or says what is missing, and writes nothing.",
        },
    ),
    Rule(
        "A7",
        "what is ours can be listed",
        {
            "test_a7_what_bears_a_mark_is_listed": "A provider that lists what is ours lists each object by kind, "
            "id, key and lineage, whatever state it belongs to, and nothing without a mark; it writes nothing.",
            "test_a7_what_is_listed_can_be_removed": "An object of which only key, id and lineage are known can "
            "be removed, and not with the lineage of another state.",
        },
    ),
    Rule(
        "A8",
        "serving changes nothing",
        {
            "test_a8_serving_changes_nothing": "A provider that serves says of each object, by its key, what it "
            "waits for; again and again, and writes nothing. What was fetched is numbered in order.",
        },
    ),
)

STORE_RULES = (
    Rule(
        "S1",
        "what is written is what is read",
        {
            "test_s1_an_entry_comes_back_as_it_was": "An entry comes back as it was, every field of "
            "it, its serial being that of the commit.",
            "test_s1_generations_stand_side_by_side": "Deposed generations stand beside the one that "
            "an address stands for, and each is dropped by itself.",
            "test_s1_a_put_takes_the_place_of_what_the_address_has": "What is put takes the place of "
            "what its address has, whatever generation that is, unless it was deposed before.",
            "test_s1_a_move_renames_everywhere": "A move renames all generations, and what others say "
            "they were made after; keys stay.",
            "test_s1_a_store_and_a_snapshot_agree": "Whatever changes are made, what is loaded is what "
            "`Records` makes of the same changes.",
            "test_s1_the_history_has_the_newest_run_first": "The history has the newest run first, and "
            "a run that is noted again is the same run.",
            "test_s1_the_oldest_of_very_many_runs_are_forgotten": "Of very many runs a thousand are kept.",
            "test_s1_what_is_read_shut_has_every_secret_sealed": "What is read shut has every secret "
            "sealed, and everything else as it is.",
        },
    ),
    Rule(
        "S2",
        "serials count commits",
        {
            "test_s2_each_commit_raises_the_serial_by_one_and_marks_only_what_it_wrote": "Each commit raises "
            "the serial by one, and marks with it what it wrote and nothing else.",
            "test_s2_a_snapshot_stays_as_it_is": "Later commits do not reach into a snapshot.",
            "test_s2_a_lock_changes_neither_serial_nor_lineage": "A lock changes neither serial nor "
            "lineage: both belong to what is on record, not to who writes.",
            "test_s2_two_states_have_two_lineages": "A lineage names one state for life.",
        },
    ),
    Rule(
        "S3",
        "one writer at a time",
        {
            "test_s3_a_lock_excludes_others_until_its_end": "A lock excludes others until its end, "
            "well or not; reading goes on meanwhile.",
        },
    ),
    Rule(
        "S4",
        "a lock tells its holder",
        {
            "test_s4_who_is_refused_is_told_by_whom": "Who is refused is told who holds the lock, "
            "where, in which process, since when, doing what; and what to do.",
            "test_s4_the_holder_is_known_while_there_is_one": "The holder is known while there is one; "
            "after an orderly end or an error there is none.",
        },
    ),
    Rule(
        "S5",
        "all or nothing",
        {
            "test_s5_a_commit_that_breaks_off_leaves_what_was_there": "Of a commit that breaks off "
            "nothing is on record, and the next one goes on from there.",
        },
    ),
    Rule(
        "S6",
        "a late writer is refused",
        {
            "test_s6_a_stale_fence_writes_nothing": "A writer that goes on after another has taken "
            "over is refused, and writes nothing.",
            "test_s6_a_fence_that_was_never_granted_writes_nothing": "A fence that was never granted "
            "writes nothing, not even for who holds the lock.",
        },
    ),
    Rule(
        "S7",
        "secrets are derived, not kept",
        {
            "test_s7_what_is_derived_is_the_same_for_life_and_of_this_state": "What is derived for a purpose is "
            "64 hexadecimal digits, the same from every handle and after every commit; another purpose or another "
            "state gives something else.",
        },
    ),
)

RULES = (*PROVIDER_RULES, *KIND_RULES, *ABILITY_RULES, *STORE_RULES)
_BY_TEST = {name: (rule.id, says) for rule in RULES for name, says in rule.tests.items()}


def holds(test: F) -> F:
    """Marks a test of the kit as one of the table, which says what it is about."""
    rule, says = _BY_TEST[test.__name__]
    test.__doc__ = f"{rule}: {says}"
    test.__rule__ = rule  # type: ignore[attr-defined]
    return test


def deviates(rule: str, *, reason: str) -> Callable[[F], F]:
    """Marks a test that takes the place of one of the kit, or switches it off, and says why.

    @deviates("K2", reason="the remote allows many objects of one name")
    def test_k2_what_belongs_to_others_is_never_taken(self) -> None: ...
    """

    def mark(test: F) -> F:
        test.__deviates__ = (rule, reason)  # type: ignore[attr-defined]
        return test

    return mark


def switched_off(suite: type[Any]) -> Iterator[str]:
    """A sentence for each rule that a suite replaces or skips without a reason."""
    for name, (rule, _) in _BY_TEST.items():
        ours = next((vars(base)[name] for base in reversed(suite.__mro__) if name in vars(base)), None)
        if ours is None:
            continue
        test = getattr(suite, name)
        told, reason = getattr(test, "__deviates__", ("", ""))
        if getattr(test, "__rule__", None) is None and (told != rule or not reason.strip()):
            yield f"{name} is replaced: say why with @deviates({rule!r}, reason=…)"
        elif told != rule and _is_skipped(test):
            yield f"{name} is skipped: replace it, and say why with @deviates({rule!r}, reason=…)"


def _is_skipped(test: Any) -> bool:
    return any(mark.name in ("skip", "skipif", "xfail") for mark in getattr(test, "pytestmark", ()))
