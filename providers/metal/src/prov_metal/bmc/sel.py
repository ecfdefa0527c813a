"""What a BMC has written into its log (SEL), in words.

Sensors have numbers there; their names stand in another store of the BMC, which takes minutes to read on some, so an
entry has the kind of the sensor and its number. The words are pyghmi's, from the specification's tables 42.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prov_metal.bmc.driver import Event
from prov_metal.bmc.lan import Lan

MOST = 50
_STORAGE = 0x0A
_LAST = 0xFFFF
_WALK = 1000
"""So many entries are read at most to get to the newest."""
_SET_CLOCK = 0x20000000
"""Times before this are seconds since the BMC started; its clock was not set."""


def newest(lan: Lan) -> Sequence[Event]:
    """The newest entries, the newest last; empty for a BMC without a log. Raises ProviderError."""
    last = lan.ask(_STORAGE, 0x43, *_entry(_LAST))
    if last.code or len(last.data) < 18:
        return ()
    number = struct.unpack_from("<H", last.data, 2)[0]
    for start in (max(number - MOST + 1, 1), 0):
        found = _from(lan, start)
        if found:
            return [read(record) for record in found]
    return ()


def _from(lan: Lan, start: int) -> Sequence[bytes]:
    """The last entries of those from one on; none where there is no such entry."""
    kept: deque[bytes] = deque(maxlen=MOST)
    at = start
    for _ in range(_WALK):
        heard = lan.ask(_STORAGE, 0x43, *_entry(at))
        if heard.code or len(heard.data) < 18:
            break
        kept.append(heard.data[2:18])
        following = struct.unpack_from("<H", heard.data)[0]
        if following in (_LAST, at):
            break
        at = following
    return kept


def _entry(number: int) -> bytes:
    """The whole of one entry; no reservation is needed for that."""
    return struct.pack("<HHBB", 0, number, 0, 0xFF)


def read(record: bytes) -> Event:
    """An entry of 16 bytes."""
    kind = record[2]
    if kind == 0xF0:
        panic = record[5:16].partition(b"\0")[0].decode("ascii", "replace")
        return Event(None, "critical", f"the kernel panicked: {panic}")
    if kind >= 0xE0:
        return Event(None, "ok", f"the maker's own entry {record[3:].hex()}")
    seconds = struct.unpack_from("<I", record, 3)[0]
    at = datetime.fromtimestamp(seconds, UTC) if _SET_CLOCK < seconds < 0xFFFFFFFF else None
    if kind != 0x02:
        return Event(at, "ok", f"the maker's own entry {record[7:].hex()}")
    return _standard(at, record)


def _standard(at: datetime | None, record: bytes) -> Event:
    from pyghmi.constants import Health
    from pyghmi.ipmi.private import constants

    sensor_type, number, gone, kind = record[10], record[11], bool(record[12] & 0x80), record[12] & 0x7F
    offset = record[13] & 0xF
    tables = (
        constants.sensor_type_offsets.get(sensor_type, {})
        if kind == 0x6F
        else constants.generic_type_offsets.get(kind, {})
    )
    row: dict[str, Any] = tables.get(offset, {})
    words = (
        row.get("deassertion_desc" if gone else "desc") or f"event {kind:#04x}/{offset}{' no longer' if gone else ''}"
    )
    health = row.get("deassertion_severity" if gone else "severity", Health.Ok)
    severity = "critical" if health & (Health.Critical | Health.Failed) else "warning" if health else "ok"
    what = constants.sensor_type_codes.get(sensor_type, f"sensor type {sensor_type:#04x}")
    more = _more(sensor_type, offset, record[13:16], constants) if kind == 0x6F else ""
    return Event(at, severity, f"{what} {number}: {words}{f' ({more})' if more else ''}")


def _more(sensor_type: int, offset: int, data: bytes, constants: Any) -> str:
    """What the two further bytes of an entry say, such as how far the firmware got."""
    from pyghmi.ipmi.events import decode_eventdata

    try:
        return str(decode_eventdata(sensor_type, offset, data, constants, None) or "")
    except (AttributeError, IndexError, KeyError, TypeError):
        return ""  # it wants the names of sensors, or knows no such value
