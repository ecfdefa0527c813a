"""What becomes of a racked server on its way to a node and back, in the courses in which it is killed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen
from beds.bmc.certificates import Authority
from beds.rack.ipmi import speak_ipmi
from beds.rack.rack import Rack
from beds.rack.trouble import HEALTHY, Trouble
from prov_metal.boot.dhcp import Guest

Kills = Literal["all", "seen", "writes"]
_REFUSED = (400, "Base.1.8.ActionNotSupported", "The action is not supported by the resource.")
_BY_WIRE: Mapping[str, Any] = {"trust": "network"}


@frozen
class Course:
    """One server, how it is booted, and what is special about it.

    returns  it comes back from its installation by itself; else it stays off
    ways     that it is booted in; the last one leads to a node
    block    more of the provider block
    ipmi     its BMC speaks IPMI
    tls      what it boots is served over TLS
    wipe     the disks that are erased at the end
    kills    where its apply is killed: on both sides of commits and after writes, which is all that can look
             different from outside (`seen`), after `writes` only, and on both sides of `all` there is
    later    of the commits only those at what the first way has been through already
    speed    how fast time goes
    given_up its apply is killed, and the host is not wanted any longer
    """

    name: str
    returns: bool = True
    ways: tuple[str, ...] = ("media",)
    trouble: Trouble = HEALTHY
    block: Mapping[str, Any] = field(factory=dict)
    ipmi: bool = False
    tls: bool = False
    wipe: tuple[str, ...] = ()
    kills: Kills = "seen"
    later: bool = False
    speed: float = 40.0
    given_up: bool = False

    def arrange(self, rack: Rack) -> dict[str, Any]:
        """Makes the rack such a one; more of the provider block."""
        for name, server in rack.servers.items():
            server.trouble = self.trouble
            rack.rows[name]["boot"] = [*self.ways]
            rack.rows[name]["wipe"] = [*self.wipe]
            # The site's own DHCP, which sends everybody to prov; so it answers whether prov runs or not.
            rack.segment.welcome(Guest(name, (server.plate.mac,), server.plate.address))
        rack.segment.at(None, f"http://{rack.serve}")
        rack.site.extra_disks = tuple(disk for disk in self.wipe if disk != "/dev/sda")
        if self.ipmi:
            speak_ipmi(rack)
        return {**self.block, **(_certificate(rack) if self.tls else {})}


def _certificate(rack: Rack) -> dict[str, Any]:
    folder = Path(rack.folder)
    before = {*folder.glob("bmc-*.pem")}
    Authority(folder).server(address=rack.serve.rpartition(":")[0])
    (both,) = {*folder.glob("bmc-*.pem")} - before
    return {"serve_tls": {"cert": str(both), "key": str(both)}}


COURSES = {
    course.name: course
    for course in (
        Course("comes back", kills="all"),
        Course("stays off", returns=False, kills="all"),
        Course("network", ways=("network",), block=_BY_WIRE),
        Course("http", returns=False, ways=("http",), block=_BY_WIRE),
        Course("ipmi", returns=False, ways=("network",), block=_BY_WIRE, ipmi=True, kills="writes"),
        Course(
            "media refused, then http",
            ways=("media", "http"),
            trouble=Trouble(insert_says=_REFUSED),
            tls=True,
            later=True,
        ),
        Course(
            "http unseen, then network",
            returns=False,
            ways=("http", "network"),
            trouble=Trouble(fetches_nothing=True),
            block=_BY_WIRE,
            later=True,
            speed=120.0,
        ),
        Course("given up", given_up=True),
        Course("erases", trouble=Trouble(erases_s=90.0), wipe=("/dev/sda", "/dev/sdb")),
    )
}
