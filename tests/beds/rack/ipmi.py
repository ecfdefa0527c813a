"""A server of a rack behind a BMC that speaks IPMI instead of Redfish."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from beds.bmc.exchange import Answer, Asked
from beds.ipmi.peer import Peer, fru
from beds.rack.rack import PASSWORD, USER, Rack
from beds.rack.server import Option

_DEVICES: dict[int, Option] = {0x1: "network", 0x2: "disk", 0x5: "cd"}
_VALID, _PERSISTENT = 0x80, 0x40
_POWER, _SET_BOOT, _GET_BOOT, _STATUS = (0, 0x02), (0, 0x08), (0, 0x09), (0, 0x01)
_FLAGS = 5


class RackPeer(Peer):
    """`rack.before` and `rack.after` hear of what changes something, as of a request of the method `IPMI`."""

    def __init__(self, rack: Rack, name: str) -> None:
        super().__init__({USER: PASSWORD})
        self.rack, self.name = rack, name
        plate = rack.servers[name].plate
        self.guid = UUID(plate.uuid).bytes_le
        self.fru = fru("Acme", "R1", plate.serial)

    def _answer(self, netfn: int, command: int, data: bytes) -> tuple[int, bytes]:
        if (netfn, command) not in (_POWER, _SET_BOOT):
            with self.rack.turn:
                return self._shown(netfn, command, data)
        asked = Asked("IPMI", f"/chassis/{command:02x}-{data[:1].hex()}", None, {})
        self.rack.before(self.name, asked)
        with self.rack.turn:
            self.rack.servers[self.name].catch_up()
            answer = self._changed(command, data)
        self.rack.after(self.name, asked, Answer(200))
        return answer

    def _shown(self, netfn: int, command: int, data: bytes) -> tuple[int, bytes]:
        server = self.rack.servers[self.name]
        server.catch_up()
        if (netfn, command) == _STATUS:
            return 0, bytes((int(server.shows_on), 0, 0))
        if (netfn, command) == _GET_BOOT:
            device = next((number for number, option in _DEVICES.items() if option == server.override), 0)
            how = (_VALID | (_PERSISTENT if server.continuous else 0)) if device else 0
            return 0, bytes((1, _FLAGS, how, device << 2, 0, 0, 0))
        return super()._answer(netfn, command, data)

    def _changed(self, command: int, data: bytes) -> tuple[int, bytes]:
        server = self.rack.servers[self.name]
        if command == _POWER[1]:
            server.press(on=data[0] == 1)
        elif data[0] == _FLAGS:
            server.override = _DEVICES.get(data[2] >> 2) if data[1] & _VALID else None
            server.continuous = bool(data[1] & _PERSISTENT)
        return 0, b""


def speak_ipmi(rack: Rack) -> None:
    """From now on the rack's inventory names BMCs that speak IPMI."""
    for name in rack.servers:
        peer: Any = RackPeer(rack, name).__enter__()
        rack.ends.append(lambda peer=peer: peer.__exit__())
        rack.rows[name]["bmc"] = peer.address
