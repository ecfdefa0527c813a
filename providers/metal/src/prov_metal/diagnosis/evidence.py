"""What could be seen of a host when something went wrong, as one value.

Collecting it is the work of `collect`; what it means is told by `causes`, which looks at nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from attrs import field, frozen

from prov_metal.bmc.driver import Event, Facts, NextBoot
from prov_metal.boot.requests import Request

Reached = Literal["unasked", "answers", "slow", "mute", "refused", "unreachable"]
"""How a BMC takes a connection: it answers; after longer than prov waits; it takes the connection and says nothing;
nobody listens; nothing comes back at all.
"""

Talos = Literal["silent", "refused", "mute", "maintenance", "other", "node"]
"""What answers at the host's address: nothing; a closed port; an open one that says nothing; Talos without a
configuration; a system that is not of this cluster; a node of the cluster.
"""


@frozen
class Reach:
    """`seconds` is how long the answer took, or how long nothing came."""

    state: Reached = "unasked"
    seconds: float = 0.0


@frozen
class Shown:
    """What the Talos API's certificate says; nothing but the state where there is none.

    names  of the machine that shows it: host names and addresses
    """

    state: Talos = "silent"
    names: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@frozen(kw_only=True)
class Evidence:
    """What is known. Everything but host, phase and way may be missing.

    error     the last error of the BMC, summary and detail
    served    the status with which what it boots is served now; 0 where nobody answers
    media     what the BMC says is in its drive
    witnesses  what else the BMC says of the power, by what says it
    doubles   other hosts of this run whose BMC tells the same UUID
    macs      of the host, as the inventory has them
    known     MACs of all hosts of the inventory
    leases    what the DHCP and TFTP server said, the newest last
    handed    its configuration is handed over by the API, not on a disc or by a URL
    heard     whether anybody listened to the console
    elsewhere whether another process serves it, so that nothing is known of requests and leases
    """

    host: str
    phase: str
    way: str
    address: str = ""
    now: datetime | None = None
    error: str = ""
    reach: Reach = Reach()
    facts: Facts | None = None
    next_boot: NextBoot | None = None
    served: int = 200
    media: str | None = None
    witnesses: Mapping[str, bool] = field(factory=dict)
    events: tuple[Event, ...] = ()
    requests: tuple[Request, ...] = ()
    elsewhere: bool = False
    leases: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    known: frozenset[str] = field(default=frozenset())
    console: str = ""
    handed: bool = False
    heard: bool = False
    talos: Shown = Shown()
    doubles: tuple[str, ...] = ()

    def said(self, pattern: str) -> str:
        """The last line of the console that has the pattern in it, without its time stamp; empty without one."""
        found = [line for line in self.console.splitlines() if re.search(pattern, line)]
        return _stripped(found[-1]) if found else ""

    def times(self, pattern: str) -> int:
        """How many lines of the console have the pattern in them."""
        return sum(1 for line in self.console.splitlines() if re.search(pattern, line))

    def after(self, pattern: str) -> str:
        """What the console said after the last line with the pattern; empty without one."""
        lines = self.console.splitlines()
        places = [number for number, line in enumerate(lines) if re.search(pattern, line)]
        return "\n".join(lines[places[-1] + 1 :]) if places else ""

    @property
    def lives(self) -> bool:
        """Whether the machine shows that it runs, whatever its BMC says of the power. Discs are read by BMCs."""
        asked = any(request.what != "iso" for request in self.requests)
        return asked or self.talos.state not in ("silent", "refused") or bool(self.console.strip())

    @property
    def against(self) -> tuple[str, ...]:
        """What else at the BMC says the opposite of its power state."""
        on = self.facts.on if self.facts is not None else None
        return tuple(name for name, says in self.witnesses.items() if on is not None and says != on)

    @property
    def asked_by_us(self) -> tuple[str, ...]:
        """The lines of the DHCP server that have a MAC of the host in them."""
        return tuple(line for line in self.leases if any(mac.lower() in line.lower() for mac in self.macs))

    def seen(self) -> list[str]:
        """The facts in short, for people, one thing each."""
        lines = [f"power {'on' if self.facts.on else 'off'}"] if self.facts else []
        if self.reach.state != "unasked":
            lines.append(f"its BMC {_REACHED[self.reach.state].format(self.reach.seconds)}")
        if self.next_boot is not None and self.next_boot.target:
            lines.append(f"boots next from {self.next_boot.target} ({self.next_boot.enabled})")
        if self.facts is not None:
            lines.append("a disc is in" if self.media else "no disc is in")
        if self.elsewhere:
            lines.append("what it asked for stands in the log of `prov serve`")
        if self.requests:
            last = self.requests[-1]
            lines.append(f"{len(self.requests)} requests, the last for {last.what}: {last.status}")
        lines += [f"{name} says {'off' if self.facts and self.facts.on else 'on'}" for name in self.against]
        if self.phase in ("starting", "booting", "parted", "from-disk", "up", "waiting", "switching"):
            lines.append(f"at {self.address} {_SHOWN[self.talos.state]}")
        if self.events:
            lines.append(f"BMC log: {self.events[-1].text}")
        if self.leases:
            lines.append(f"DHCP log: {self.leases[-1].strip()}")
        last_words = [line for line in self.console.splitlines() if line.strip()]
        if last_words:
            lines.append(f"console: {short(_stripped(last_words[-1]))}")
        elif self.phase in ("starting", "booting", "parted", "from-disk"):
            lines.append("the console says nothing" if self.heard else "nobody listens to its console")
        return lines


_GLANCE = 160
_REACHED = {
    "answers": "answers in {:.1f} s",
    "slow": "takes {:.1f} s to answer",
    "mute": "takes connections and says nothing in {:.0f} s",
    "refused": "refuses connections",
    "unreachable": "is out of reach",
}
_SHOWN = {
    "silent": "nothing answers",
    "refused": "port 50000 is shut",
    "mute": "port 50000 is open and says nothing",
    "maintenance": "Talos waits for a configuration",
    "other": "something answers that is not of this cluster",
    "node": "a node of the cluster answers",
}


def short(text: str) -> str:
    """As much of a text as people read at a glance."""
    return text if len(text) <= _GLANCE else f"{text[:_GLANCE]}…"


def _stripped(line: str) -> str:
    """A line of a console without the kernel's time stamp and control characters."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]", "", line)
    return re.sub(r"^\s*(<\d+>)?\[\s*\d+\.\d+\]\s*", "", text).strip()
