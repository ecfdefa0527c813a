"""Whose hands a configuration comes into: a real machine of the simulator, and a relay in front of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from beds.maintenance.relay import Relay
from fakes.talos_client import Secrets, until
from prov_sim.control import Control
from prov_sim.place import Place

from provisioner.talos.api import maintenance
from provisioner.talos.api.errors import NoAnswer, Rejected
from provisioner.talos.api.maintenance import AnotherKey

BETWEEN = f"127.40.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
"""Where the relay listens, which no other process of ours does."""


@frozen
class Machine:
    """A machine of the simulator; its daemon is the console on which the fingerprint is read."""

    control: Control
    address: str

    def now(self) -> Any:
        return self.control.call("show")["machines"][0]

    @property
    def key(self) -> str:
        return str(until(lambda: self.now()["fingerprint"]))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine without a configuration, in maintenance."""
    control = Control(Place(tmp_path / "sim.sock"))
    order = {"name": "m", "group": "g", "key": "k", "lineage": "L", "role": "controlplane", "cpus": 2}
    place = {"memory_mib": 2048, "zone": "", "image": "v1.13.9", "platform": "metal", "disk": "/dev/sda"}
    made = control.call("create_machine", **order, **place, user_data="", time_scale=0, seed=0)
    found = Machine(control, made["address"])
    until(lambda: found.now()["stage"] == "maintenance")
    yield found
    control.stop()


@pytest.fixture
def config(machine: Machine) -> str:
    return Secrets().config("controlplane", "cp-1", machine.address, install={"disk": "/dev/sda"})


def test_a_configuration_goes_to_the_machine_whose_key_is_known(machine: Machine, config: str) -> None:
    """With the fingerprint that its console told; and before that it tells who it is."""
    key = machine.key

    found = maintenance.facts(machine.address, key)
    maintenance.hand_over(machine.address, config, key)

    assert found.stage == "maintenance"
    assert (len(found.uuid), len(found.macs), found.serial[:3]) == (36, 1, "SIM")
    until(lambda: machine.now()["installed"])


def test_a_relay_gets_nothing_from_who_knows_the_machines_key(machine: Machine, config: str) -> None:
    """Not a byte inside TLS, and the machine stays as it was."""
    with Relay(BETWEEN, machine.address) as relay:
        with pytest.raises(AnotherKey) as caught:
            maintenance.hand_over(BETWEEN, config, machine.key)
        with pytest.raises(AnotherKey):
            maintenance.facts(BETWEEN, machine.key)

        assert relay.told() == b""
    assert relay.connections == 2
    assert relay.fingerprint in caught.value.detail
    assert machine.now()["config_digest"] == ""


def test_a_relay_that_lets_us_look_first_gets_nothing_either(machine: Machine, config: str) -> None:
    """The key has to be proven on the very connection that carries the configuration."""
    with Relay(BETWEEN, machine.address, honest=1) as relay:
        with pytest.raises(AnotherKey):
            maintenance.hand_over(BETWEEN, config, machine.key)

        assert relay.told() == b""
    assert relay.connections == 2
    assert machine.now()["config_digest"] == ""


def test_a_relay_hears_all_that_is_handed_to_anyone(machine: Machine, config: str) -> None:
    """So the tests above could fail; and the machine is configured as if nobody had listened."""
    with Relay(BETWEEN, machine.address) as relay:
        assert maintenance.facts_of_anyone(BETWEEN) == maintenance.facts(machine.address, machine.key)
        maintenance.hand_over_to_anyone(BETWEEN, config)

        until(lambda: machine.now()["installed"])
        assert b"fedcba.0123456789abcdef" in relay.heard


def test_a_relay_whose_own_key_is_taken_for_the_machines_hears_all(machine: Machine, config: str) -> None:
    """What protects is where the fingerprint comes from: it must not be asked of the network."""
    with Relay(BETWEEN, machine.address) as relay:
        assert maintenance.shown_key(BETWEEN) == relay.fingerprint
        maintenance.hand_over(BETWEEN, config, relay.fingerprint)

        until(lambda: machine.now()["installed"])
        assert b"fedcba.0123456789abcdef" in relay.heard


def test_what_the_machine_says_is_told_as_ever(machine: Machine, config: str) -> None:
    """A refusal, silence, and a fingerprint that is none."""
    with pytest.raises(Rejected, match="rejects"):
        maintenance.hand_over(machine.address, config.replace("/dev/sda", ""), machine.key)
    with pytest.raises(NoAnswer):
        maintenance.hand_over(BETWEEN, config, machine.key)
    with pytest.raises(ValueError, match="32 bytes"):
        maintenance.hand_over(machine.address, config, "AAAA")
