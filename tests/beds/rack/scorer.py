"""Whether what prov printed names the right cause, judged by its words alone.

Nothing of the diagnosis is known here: a judge who knows what was done to the rack reads what stands on the screen.
Each fault has words that name it, as a technician may say it. What is printed is right if it has words of the fault
that was injected, and of no other one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "BMC unreachable": r"nobody listens at the address of its BMC|BMC (cannot|can not) be reached|BMC is unreachable",
    "wrong password": r"(another|wrong) (user or )?password",
    "session table full": r"sessions .*(taken|used up|full)|session table .*full",
    "certificate wrong": r"certificate that nobody has vouched for|certificate .* not .*trusted",
    "frozen": r"BMC is frozen|BMC hangs",
    "slow": r"BMC is too slow|BMC is slow",
    "lying about power": r"says that it is off, and it (runs|is on)|says that it is on, and it is off",
    "reset ignored": r"takes the order to switch (on|off) and does not|ignores .*(reset|power)",
    "media refused": r"refuses virtual media",
    "media not visible to the host": r"does not see the disc",
    "URL refused": r"does not take the URL|cannot get what is there|refuses the URL",
    "eject late": r"does not let go of the disc|does not eject",
    "boot override ignored": r"boots as ever|ignores .*(boot order|next start)",
    "wrong boot order": r"installed and does not boot from its disk",
    "secure boot refuses the image": r"secure boot refuses",
    "DHCP silent": r"nobody gives it an address|no DHCP server",
    "TFTP lost": r"through by TFTP|TFTP .*(lost|fails)",
    "HTTP 404": r"(not served|not there): .*404",
    "config refused": r"refuses its configuration",
    "config for another host": r"another machine asks for its|configuration of another host",
    "MAC unknown": r"MAC that no row has",
    "duplicate UUID": r"UUID is also that of|same UUID",
    "disk missing": r"disk .*(is not there|missing)",
    "disk read-only": r"disk (cannot be written|is read-only)",
    "Talos left over": r"Talos on one of its disks already|already has a Talos",
    "install loops": r"installs itself again and again",
    "panic": r"kernel has died|kernel panic",
    "wrong NIC": r"on another network|wrong (card|NIC)",
    "clock years off": r"clock is (years )?off",
    "API never opens": r"API .*never opens",
    "etcd never joins": r"etcd on \S+ has not joined",
}


def named(text: str) -> set[str]:
    """The faults that a text names. The likely cause counts, where one stands there; else everything."""
    likely = re.findall(r"likely: (.*)", text)
    judged = "\n".join(likely) or text
    return {fault for fault, words in WORDS.items() if re.search(words, judged)}


def right(fault: str, text: str) -> bool:
    """Whether exactly this fault is named."""
    return named(text) == {fault}
