"""Values: marks stay on their leaves, and what is unknown or secret stays so through every step."""

from __future__ import annotations

import pytest

from provisioner.model.address import Address
from provisioner.model.functions import CORE
from provisioner.model.value import (
    Call,
    Origin,
    Ref,
    Secret,
    Sourced,
    Unknown,
    Value,
    conceal,
    dig,
    evaluate,
    freeze,
    has_secret,
    is_known,
    leaves,
    refs,
    replace_refs,
    reveal,
    strip_origins,
)

A, B = Address("toy.thing", "a"), Address("toy.thing", "b")
HERE = Origin("cluster.yaml", 3)
FUNCTIONS = {**CORE, "shout": lambda text: text.upper(), "refuse": lambda *args: _refuse(*args)}


def _refuse(*args: object) -> None:
    raise ValueError(f"cannot use {args[0]!r}")


def _lookup(ref: Ref) -> Value:
    known: dict[Ref, Value] = {Ref(A, "address"): "10.0.0.1", Ref(A, "password"): Secret("hunter2")}
    return known.get(ref, Unknown(str(ref.to)))


def test_a_secret_prints_stars_wherever_it_stands() -> None:
    for text in (
        repr(Secret("hunter2")),
        str(Secret("hunter2")),
        f"{Secret('hunter2')}",
        repr({"a": (Secret("x"),)}),
    ):
        assert "hunter2" not in text
        assert "***" in text


def test_a_secret_in_a_larger_value_prints_stars() -> None:
    assert "hunter2" not in repr(Call("shout", (Sourced(Secret("hunter2"), HERE),)))


def test_equal_secrets_are_equal() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_unknowns_are_equal_whatever_they_wait_for() -> None:
    assert Unknown("a") == Unknown("b")


def test_freezing_turns_lists_into_tuples_all_the_way_down() -> None:
    assert freeze({"a": [{"b": [1, 2]}]}) == {"a": ({"b": (1, 2)},)}


def test_freezing_makes_keys_text() -> None:
    assert freeze({1: "x"}) == {"1": "x"}


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        freeze({"a": {1}})


def test_revealing_opens_everything() -> None:
    value: Value = {"a": Sourced(Secret("x"), HERE), "b": (Secret(1), 2), "c": None}
    assert reveal(value) == {"a": "x", "b": [1, 2], "c": None}


@pytest.mark.parametrize("leaf", [Unknown("a"), Ref(A, "id"), Call("concat", ())])
def test_revealing_what_is_not_known_is_refused(leaf: Value) -> None:
    with pytest.raises(ValueError, match="not known yet"):
        reveal({"a": (leaf,)})


def test_leaves_have_their_paths_and_empty_containers_count() -> None:
    value: Value = {"a": ({"b": 1}, 2), "c": {}, "d": ()}
    assert list(leaves(value)) == [(("a", 0, "b"), 1), (("a", 1), 2), (("c",), {}), (("d",), ())]


def test_references_are_found_inside_calls_too() -> None:
    value: Value = {"a": Ref(A, "id"), "b": (Call("concat", ("x", Call("shout", (Ref(B, "id"),)))),)}
    assert [Ref(A, "id"), Ref(B, "id")] == list(refs(value))


def test_references_are_replaced_inside_calls_too() -> None:
    value: Value = {"a": (Ref(A, "id"),), "b": Call("concat", (Ref(B, "id"), "x"))}
    changed = replace_refs(value, lambda ref: ref.to.name)
    assert {"a": ("a",), "b": Call("concat", ("b", "x"))} == changed


def test_known_is_what_has_nothing_open_inside() -> None:
    assert is_known({"a": (1, Secret("x"))})
    for leaf in (Unknown(), Ref(A, "id"), Call("concat", ())):
        assert not is_known({"a": (1, leaf)})


def test_a_secret_is_found_behind_its_origin() -> None:
    assert has_secret({"a": (Sourced(Secret("x"), HERE),)})
    assert not has_secret({"a": (Sourced("x", HERE),)})


def test_concealing_makes_every_known_leaf_secret_and_leaves_the_others() -> None:
    value: Value = {"a": ("x", Secret("y"), Sourced("z", HERE)), "b": Ref(A, "id"), "c": Unknown()}
    expected = {
        "a": (Secret("x"), Secret("y"), Sourced(Secret("z"), HERE)),
        "b": Ref(A, "id"),
        "c": Unknown(),
    }
    assert expected == conceal(value)


def test_origins_come_off_everywhere() -> None:
    assert {"a": (1, Secret("x"))} == strip_origins({"a": (Sourced(1, HERE), Sourced(Secret("x"), HERE))})


def test_one_unknown_leaves_every_other_leaf_standing() -> None:
    value: Value = {"known": Ref(A, "address"), "open": Ref(B, "address"), "plain": 1}
    assert {"known": "10.0.0.1", "open": Unknown(), "plain": 1} == evaluate(value, _lookup, FUNCTIONS)


def test_a_call_is_done_when_its_arguments_are_known() -> None:
    url = Call("concat", ("https://", Ref(A, "address"), ":", 6443))
    assert evaluate(url, _lookup, FUNCTIONS) == "https://10.0.0.1:6443"


def test_a_call_with_something_unknown_is_unknown_as_a_whole_and_says_what_it_waits_for() -> None:
    waiting = evaluate(Call("concat", ("x", {"deep": (Ref(B, "id"),)})), _lookup, FUNCTIONS)
    assert isinstance(waiting, Unknown)
    assert waiting.why == "toy.thing/b"


def test_a_call_that_saw_a_secret_gives_secrets() -> None:
    assert Secret("user:hunter2") == evaluate(Call("concat", ("user:", Ref(A, "password"))), _lookup, FUNCTIONS)


def test_a_nested_call_keeps_the_mark_of_a_secret() -> None:
    inner = Call("shout", (Ref(A, "password"),))
    assert Secret("HUNTER2!") == evaluate(Call("concat", (inner, "!")), _lookup, FUNCTIONS)


def test_a_call_that_cannot_be_done_says_why() -> None:
    with pytest.raises(ValueError, match="cannot use 'plain'"):
        evaluate(Call("refuse", ("plain",)), _lookup, FUNCTIONS)


def test_a_call_that_cannot_be_done_never_quotes_a_secret() -> None:
    with pytest.raises(ValueError, match="refuse") as caught:
        evaluate(Call("refuse", (Sourced(Secret("hunter2"), HERE),)), _lookup, FUNCTIONS)
    error: BaseException | None = caught.value
    assert "hunter2" not in str(error)
    assert error.__suppress_context__


def test_concat_writes_truth_and_nothing_as_people_do() -> None:
    assert CORE["concat"]("a", True, None, 3, False) == "atrue3false"


def test_digging_follows_dots() -> None:
    assert dig({"certs": {"os": {"crt": "x"}}}, "certs.os.crt") == "x"


def test_digging_names_the_part_that_is_missing() -> None:
    with pytest.raises(KeyError, match="os"):
        dig({"certs": {}}, "certs.os.crt")


def test_digging_into_what_is_unknown_is_unknown() -> None:
    assert dig({"certs": Unknown("a")}, "certs.os.crt") == Unknown()


def test_digging_into_a_scalar_is_a_missing_part() -> None:
    with pytest.raises(KeyError):
        dig({"certs": "text"}, "certs.os")
