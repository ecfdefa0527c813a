"""Clients: made once per instance and settings, with what is known by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest
from fakes.toy import Client, Cloud, ToyProvider

from provisioner.engine.clients import Clients, RecordedOutputs
from provisioner.errors import OperatorNeeded
from provisioner.model.address import Address
from provisioner.model.plan import ProviderUse
from provisioner.model.state import Entry, State, Status
from provisioner.model.value import Call, Function, Origin, Ref, Sealed, Secret, Sourced, Unknown, Value
from provisioner.plugins.registry import Registry

A = Address("toy.thing", "a")
AT = Ref(A, "address")


def _clients(cloud: Cloud, **settings: Value) -> Clients:
    return Clients(Registry({}, {"toy": ToyProvider(cloud)}), {"toy": ProviderUse("toy", "toy", settings)})


def _known(**outputs: Value) -> RecordedOutputs:
    return RecordedOutputs(State("demo", "L", 1), {A: outputs})


def _place(clients: Clients, **outputs: Value) -> str:
    client = clients.client("toy", _known(**outputs))
    assert isinstance(client, Client)
    return client.place


def test_one_connection_serves_as_long_as_the_settings_stay() -> None:
    cloud = Cloud()
    clients = _clients(cloud, place=AT)
    assert [_place(clients, address="x"), _place(clients, address="x")] == ["x", "x"]
    assert cloud.places == ["x"]
    assert _place(clients, address="y") == "y"
    assert cloud.places == ["x", "y"]


def test_settings_are_worked_out_anew_only_when_what_they_refer_to_is_recorded_anew() -> None:
    worked_out: list[str] = []

    def note(text: str) -> str:
        worked_out.append(text)
        return text

    class Noting(ToyProvider):
        functions: ClassVar[Mapping[str, Function]] = {"toy.note": note}

    use = ProviderUse("toy", "toy", {"place": Call("toy.note", (AT,))})
    clients = Clients(Registry({}, {"toy": Noting(Cloud())}), {"toy": use})
    outputs: dict[str, Value] = {"address": "x"}
    lookup = RecordedOutputs(State("demo", "L", 1), {A: outputs})
    assert {clients.client("toy", lookup).place for _ in range(3)} == {"x"}
    assert worked_out == ["x"]

    assert clients.client("toy", RecordedOutputs(State("demo", "L", 2), {A: {"address": "y"}})).place == "y"
    assert worked_out == ["x", "y"]


def test_what_is_not_known_yet_is_left_out() -> None:
    assert _place(_clients(Cloud(), place=AT)) == "here"
    assert _place(_clients(Cloud(), place=Call("concat", ("at ", AT)))) == "here"


def test_settings_may_be_computed_and_carry_origins() -> None:
    assert _place(_clients(Cloud(), place=Call("concat", ("at ", AT))), address="x") == "at x"
    assert _place(_clients(Cloud(), place=Sourced("there", Origin("f", 1)))) == "there"


@pytest.mark.parametrize(("settings", "words"), [({"place": 3}, "place must be text"), ({"size": 1}, "size is not")])
def test_settings_that_do_not_fit_are_for_the_operator(settings: Mapping[str, Value], words: str) -> None:
    with pytest.raises(OperatorNeeded) as caught:
        _clients(Cloud(), **settings).client("toy", _known())
    assert words in caught.value.detail


def test_an_instance_that_is_not_in_the_file_is_for_the_operator() -> None:
    with pytest.raises(OperatorNeeded) as caught:
        _clients(Cloud()).client("lost", _known())
    assert "'lost'" in caught.value.detail


def test_recorded_outputs_are_looked_up_and_the_rest_is_unknown() -> None:
    outputs: dict[str, Value] = {"id": "toy-1", "certs": {"os": {"key": Secret("x")}}}
    lookup = RecordedOutputs(State("demo", "L", 1, {A: Entry(A, 1, "toy", "k", Status.READY, outputs=outputs)}))
    assert lookup(Ref(A, "id")) == "toy-1"
    assert lookup(Ref(A, "certs.os.key")) == Secret("x")
    assert lookup(Ref(A, "certs.os.crt")) == Unknown()
    assert lookup(Ref(Address("toy.thing", "b"), "id")) == Unknown()


def test_what_was_just_found_gone_counts_as_unknown() -> None:
    state = State("demo", "L", 1, {A: Entry(A, 1, "toy", "k", Status.READY, outputs={"id": "toy-1"})})
    assert RecordedOutputs(state, gone=frozenset({A}))(Ref(A, "id")) == Unknown()


def test_settings_that_stayed_sealed_are_for_who_has_the_key() -> None:
    """So what is reached with them is out of reach, and a plan says why."""
    with pytest.raises(OperatorNeeded, match="no age identity") as caught:
        _clients(Cloud(), place=AT).client("toy", _known(address=Sealed()))
    assert "PROV_AGE_KEY" in caught.value.remedy
