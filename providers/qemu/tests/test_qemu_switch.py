"""The switch carries frames between machines, and lets each see its own way out only."""

from __future__ import annotations

import errno

from prov_qemu.network.switch import Switch

ONE, TWO, OUT, ALL = (
    b"\x52\x54\x00\x00\x00\x01",
    b"\x52\x54\x00\x00\x00\x02",
    b"\x52\x55\x0a\x05\x00\x01",
    b"\xff" * 6,
)


class Wire:
    """Where frames arrive. `full` sockets take none for now, `gone` ones are not there."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, bytes]] = []
        self.full: set[str] = set()
        self.gone: set[str] = set()

    def __call__(self, frame: bytes, to: str) -> None:
        if to in self.full:
            raise BlockingIOError
        if to in self.gone:
            raise OSError(errno.ECONNREFUSED, "nobody listens")
        self.arrived.append((to, frame))

    def took(self) -> list[tuple[str, bytes]]:
        arrived, self.arrived = self.arrived, []
        return arrived


def frame(target: bytes, source: bytes, text: bytes = b"") -> bytes:
    return target + source + b"\x08\x00" + text


def met(wire: Wire) -> Switch:
    """A switch that has heard of two machines."""
    switch = Switch(wire)
    switch.take(frame(ALL, ONE), "1.nic")
    switch.take(frame(ALL, TWO), "2.nic")
    wire.took()
    return switch


def test_what_one_says_to_another_reaches_that_one_only() -> None:
    """No way out sees it: it would take it for something that wants out."""
    wire = Wire()
    met(wire).take(frame(TWO, ONE), "1.nic")

    assert wire.took() == [("2.nic", frame(TWO, ONE))]


def test_what_wants_out_takes_the_machines_own_way() -> None:
    wire = Wire()
    met(wire).take(frame(OUT, ONE), "1.nic")

    assert wire.took() == [("1.up", frame(OUT, ONE))]


def test_what_comes_in_reaches_its_machine_only() -> None:
    """Even a broadcast: the offer of an address is for this machine."""
    wire = Wire()
    switch = met(wire)
    switch.take(frame(ALL, OUT), "1.up")
    switch.take(frame(TWO, OUT), "1.up")

    assert wire.took() == [("1.nic", frame(ALL, OUT)), ("1.nic", frame(TWO, OUT))]


def test_a_broadcast_reaches_all_machines_and_the_own_way_out() -> None:
    """So a machine asks its own way out for an address, and no other."""
    wire = Wire()
    switch = met(wire)
    switch.take(frame(ALL, ONE), "1.nic")

    assert sorted(wire.took()) == [("1.up", frame(ALL, ONE)), ("2.nic", frame(ALL, ONE))]


def test_a_machine_nobody_has_heard_of_is_looked_for_among_the_machines() -> None:
    wire = Wire()
    met(wire).take(frame(b"\x52\x54\x00\x00\x00\x09", ONE), "1.nic")

    assert [to for to, _ in wire.took()] == ["2.nic"]


def test_a_socket_that_takes_no_more_gets_its_frames_later_in_order() -> None:
    wire = Wire()
    switch = met(wire)
    wire.full.add("2.nic")
    for text in (b"a", b"b"):
        switch.take(frame(TWO, ONE, text), "1.nic")
    waits = switch.busy
    wire.full.clear()
    switch.take(frame(TWO, ONE, b"c"), "1.nic")
    switch.again()

    assert waits
    assert not switch.busy
    assert [got for _, got in wire.took()] == [frame(TWO, ONE, text) for text in (b"a", b"b", b"c")]


def test_a_machine_that_is_gone_hinders_nobody_and_may_come_back() -> None:
    wire = Wire()
    switch = met(wire)
    wire.gone.add("2.nic")
    switch.take(frame(ALL, ONE), "1.nic")
    switch.take(frame(ALL, ONE), "1.nic")
    wire.gone.clear()
    switch.take(frame(ALL, TWO), "2.nic")
    wire.took()
    switch.take(frame(ALL, ONE), "1.nic")

    assert "2.nic" in [to for to, _ in wire.took()]
