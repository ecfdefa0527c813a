"""The provider and its hosts keep the rules of the house, before the simulated rack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import define, field
from beds.bmc.exchange import Answer, Asked, refusal
from beds.rack.line import PORT
from beds.rack.rack import BMC_PORT, PASSWORD, USER, Rack, leased_block
from beds.rack.server import Server
from prov_metal import provider as metal_provider
from prov_metal.client import Client
from prov_metal.kinds.props import HostProps
from prov_metal.settings import settings_of

from provisioner.conformance.back_end import BackEnd, Fault
from provisioner.conformance.kind_suite import KindSuite, Sample
from provisioner.conformance.lab import Lab
from provisioner.conformance.provider_suite import ProviderSuite
from provisioner.conformance.rules import deviates
from provisioner.sdk import Address, OperatorNeeded, Secret, Seen, Value

_ANSWERS = {"throttled": 503, "denied": 401, "conflict": 409}
_NO_OWNER = "BMCs keep no owner: whose a host is stands in the inventory and on record only"


@define(eq=False)
class RackRemote(BackEnd):
    """A rack of one on a clock of its own; a host exists while it is on."""

    rack: Rack = field(init=False)
    seconds: float = 0.0
    faults: list[Fault] = field(factory=list)
    silent: bool = False

    def existing(self) -> frozenset[str]:
        return frozenset(name for name, server in self.rack.servers.items() if server.power)

    def requests(self) -> int:
        return sum(front.requests for front in self.rack.fronts.values())

    def writes(self) -> int:
        return sum(len(bmc.writes) for bmc in self.rack.bmcs.values())

    def lose(self, id_: str) -> None:
        raise NotImplementedError("a server does not go away")

    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        self.faults.append(fault)
        return True

    @contextmanager
    def silence(self) -> Iterator[None]:
        self.silent = True
        yield
        self.silent = False

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        self.rack.catch_up()
        self.rack.site.settle()

    def before(self, name: str, asked: Asked) -> Answer | None:
        """What is answered instead of the BMC's answer; raises where nothing comes back."""
        if self.silent or (self.faults and self.faults[0] == "timeout"):
            self.faults = self.faults[1:] if not self.silent else self.faults
            raise ConnectionError
        if self.faults and self.faults[0] in _ANSWERS:
            return refusal(_ANSWERS[self.faults.pop(0)], "not now")
        return None

    def after(self, name: str, asked: Asked, answer: Answer) -> None:
        if self.faults and self.faults[0] == "lost":
            self.faults.pop(0)
            raise ConnectionError


@define(eq=False)
class Plain:
    """Installed systems, as far as hosts are concerned; satisfies `server.Site`.

    Nobody resets them here, so each powers off by itself after a while, as one does that leaves its cluster.
    """

    _since: dict[str, float] = field(factory=dict)

    def boot(self, server: Server, config: bytes) -> None:
        self._since[server.plate.name] = server.clock()

    def cut(self, server: Server) -> None:
        """It does not run any more."""

    def on(self, server: Server) -> bool:
        return server.clock() - self._since[server.plate.name] < STAYS_S

    def wiped(self, server: Server) -> bool:
        return False

    def bare(self, server: Server) -> bool:
        return False

    def complaint(self, config: bytes) -> str:
        return ""

    def settle(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is open."""


@define
class Asking(Client):
    """Asks the rack whether a node runs, instead of the node."""

    rack: Rack = field(kw_only=True)

    def is_node(self, props: Any) -> bool:
        with self.rack.turn:
            return self.rack.servers[props.host].runs


_NOBODY: Any = {"authority": "", "authority_key": Secret("")}
STAYS_S = 600.0
NEW_PASSWORD = "planted-new-password"
BLOCK = leased_block()


def _inventory(rack: Rack) -> dict[str, Value]:
    """Twelve hosts in four racks; there is something behind the BMC of the first only."""
    rows = {
        f"r{1 + number % 4}u{1 + number // 4}": {
            "bmc": f"redfish+http://{BLOCK}.{101 + number}:{BMC_PORT}",
            "address": f"{BLOCK}.{1 + number}",
            "macs": (f"52:54:00:00:00:{1 + number:02x}",),
            "rack": ("a", "b", "c", "another-zone")[number % 4],
        }
        for number in range(12)
    }
    assert rows["r1u1"]["bmc"] == rack.address("r1u1")
    return {**rows}


class TestMetal(ProviderSuite):
    """The provider: its inventory, its design, and what it says without a password."""

    provider = metal_provider

    @pytest.fixture
    def rack(self, tmp_path: Path) -> Iterator[Rack]:
        with Rack(1, tmp_path, clock=lambda: 0.0, block=BLOCK) as rack:
            yield rack

    @pytest.fixture
    def settings(self, rack: Rack) -> Mapping[str, Value]:
        return {
            "inventory": _inventory(rack),
            "serve": rack.serve,
            "image": str(rack.image),
            "username": USER,
            "password": PASSWORD,
        }

    @pytest.fixture
    def bare_settings(self, settings: Mapping[str, Value]) -> Mapping[str, Value]:
        return {name: value for name, value in settings.items() if name not in ("username", "password")}

    def test_a_password_that_is_missing_is_not_said_to_be_wrong(
        self, rack: Rack, bare_settings: Mapping[str, Value]
    ) -> None:
        """The error asks for one, instead of sending somebody to look for a typing error."""
        client = Client(settings_of(bare_settings), 5.0)
        host = HostProps(host="r1u1", address="", bmc=rack.address("r1u1"), image="", user_data=Secret(""), **_NOBODY)

        with pytest.raises(OperatorNeeded, match="wants a user and a password") as caught:
            client.bmc(host).facts()
        assert "`username`" in caught.value.remedy


@pytest.mark.crash
class TestHosts(KindSuite):
    """The kind. Takes most of a minute."""

    provider = metal_provider
    cannot: ClassVar[Mapping[str, str]] = {
        "lose": "a server does not go away",
        "quota": "a rack has the servers that it has",
    }
    samples: ClassVar[Mapping[str, Sample]] = {
        "metal.host/one": Sample(
            {
                "host": "r1u1",
                "address": f"{BLOCK}.1",
                "bmc": f"redfish+http://{BLOCK}.101:{BMC_PORT}",
                "password": Secret(PASSWORD),
                "macs": ("52:54:00:00:00:01",),
                "boot": ("media",),
                "image": "metal-amd64.iso",
                "user_data": Secret("a: planted-user-data"),
                "authority": "Y2E=",
                "authority_key": Secret("planted-authority-key"),
            },
            changed={
                "bmc": f"redfish+http://{BLOCK}.101:{BMC_PORT}/Systems/6ae7f5b2-0000-4000-8000-000000000001",
                "username": USER,
                "password": Secret(NEW_PASSWORD),
                "fingerprint": "ab" * 32,
                "verify": False,
                "uuid": "6ae7f5b2-0000-4000-8000-000000000001",
                "serial": "S0001",
                "wipe": ("/dev/sdb",),
                "console": f"tcp://{BLOCK}.151:{PORT}",
                "power": "off",
            },
        )
    }

    @pytest.fixture
    def cloud(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RackRemote]:
        monkeypatch.chdir(tmp_path)
        remote = RackRemote()
        remote.rack = rack = Rack(1, tmp_path, clock=lambda: remote.seconds, block=BLOCK)
        rack.site, rack.before, rack.after = Plain(), remote.before, remote.after  # type: ignore[assignment]
        with rack:
            rack.bmcs["r1u1"].new_password = NEW_PASSWORD
            rack.servers["r1u1"].marks = False
            yield remote

    @pytest.fixture
    def settings(self, cloud: RackRemote) -> Mapping[str, Value]:
        return {"serve": cloud.rack.serve, "username": USER, "password": Secret(PASSWORD)}

    @pytest.fixture
    def connect(self, cloud: RackRemote, settings: Mapping[str, Value]) -> Callable[[], Client]:
        return lambda: Asking(settings_of(settings), 5.0, rack=cloud.rack)

    @deviates("K1", reason="a host is found by its place in the inventory, and only while it is on record")
    def test_k1_what_was_made_reads_as_wanted(self, lab: Lab) -> None:
        held = lab.make(Address("metal.host", "one"))
        found = lab.read(held)

        assert isinstance(found, Seen)
        assert (found.props["host"], found.props["power"]) == ("r1u1", "on")

    @deviates("K2", reason=_NO_OWNER)
    def test_k2_what_belongs_to_others_is_never_taken(self) -> None: ...

    @deviates("K5", reason=_NO_OWNER)
    def test_k5_what_belongs_to_others_survives(self) -> None: ...

    @deviates("K5", reason="a server does not go away: what was given back is off")
    def test_k5_delete_twice_is_quiet(self, lab: Lab, cloud: RackRemote) -> None:
        held = lab.make(Address("metal.host", "one"))
        lab.remove(held)
        before = cloud.writes()
        lab.finish("delete", held)

        assert cloud.existing() == frozenset()
        assert cloud.writes() == before
