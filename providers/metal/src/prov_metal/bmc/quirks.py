"""Where BMCs differ from what Redfish says, and who does; the rows are in `table`.

A row without a maker is about any BMC: the driver is ready for it everywhere. Another row applies to the BMCs whose
manufacturer, model, manager and firmware it matches, and sets some of their habits; of several the later ones win.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

PASSING = re.compile("UnableToModifyDuringSystemPOST|ResourceInUse|ResourceInStandby|ServiceTemporarilyUnavailable")
"""Messages that say "not now", whatever status comes with them (HPE iLO during POST: 400; LP 2136275)."""

FULL = re.compile(r"RAC0218|SessionLimitExceeded|maximum number of (user )?sessions", re.IGNORECASE)
"""Messages that say that there is no room for another session (Dell iDRAC; quadsproject/badfish 447)."""

LICENCE = re.compile(
    r"License(Key)?Required|LicenseNotPassed|\bLIC\d{3}\b|not licensed|licen[sc]e .{0,40}(required|missing)",
    re.IGNORECASE,
)
"""Messages that name a licence, which come with 400 as well as with 403 (HPE iLO, Dell iDRAC, Supermicro)."""

QUEUED = re.compile(
    r"values are already committed|job (is )?already (scheduled|exists|running)|pending job", re.IGNORECASE
)
"""Messages of a queue of jobs, of which one is in the way (Dell iDRAC; quadsproject/quads 726)."""


@frozen
class Habits:
    """What the driver has to know of a BMC in advance, because the BMC does not say it or says it wrongly.

    usb_cd            virtual media is the boot target `UsbCd`, though there is a `Cd`
    whole_boot        a change of the boot source names target, enabled and mode together
    always_enabled    the enabled mode is sent even where it is the same already
    image_lingers     `Image` stays filled after an eject; only `Inserted` counts
    skipped           slots that are not for us, a regular expression for their ids
    first             slots to try before others, likewise
    media_attributes  attributes of the manager that have to be so before media is inserted
    boot_attributes   attributes of the manager that make the next boot one from virtual media, in the place of the
                      boot source override
    lift_attributes   what takes these back
    """

    usb_cd: bool = False
    whole_boot: bool = False
    always_enabled: bool = False
    image_lingers: bool = False
    skipped: str = ""
    first: str = ""
    media_attributes: Mapping[str, str] = field(factory=dict)
    boot_attributes: Mapping[str, str] = field(factory=dict)
    lift_attributes: Mapping[str, str] = field(factory=dict)


@frozen
class Make:
    """Who made a machine, and the manager in it: texts as the BMC writes them, empty where it does not."""

    vendor: str
    model: str = ""
    manager: str = ""
    firmware: str = ""


@frozen
class Quirk:
    """A row of the table.

    name      in words of ours
    who       whose BMCs do it, for people
    habit     what they do
    answer    what prov does about it
    source    where it was reported; SB is storyboard.openstack.org/#!/story/N, LP bugs.launchpad.net/ironic/+bug/N
    vendor, model, manager, firmware
              regular expressions for `Make`, searched without case; without a vendor it is about any BMC
    sets      fields of `Habits`
    """

    name: str
    who: str
    habit: str
    answer: str
    source: str
    vendor: str = ""
    model: str = ""
    manager: str = ""
    firmware: str = ""
    sets: Mapping[str, Any] = field(factory=dict)

    @property
    def everywhere(self) -> bool:
        """Whether the driver is ready for it without knowing who made the BMC."""
        return not self.sets

    def applies(self, make: Make) -> bool:
        pairs = (
            (self.vendor, make.vendor),
            (self.model, make.model),
            (self.manager, make.manager),
            (self.firmware, make.firmware),
        )
        return all(re.search(pattern, text, re.IGNORECASE) for pattern, text in pairs)


def habits_of(make: Make, quirks: tuple[Quirk, ...]) -> Habits:
    """What is known of the BMCs of a make."""
    habits = Habits()
    for quirk in quirks:
        if quirk.sets and quirk.applies(make):
            habits = evolve(habits, **quirk.sets)
    return habits
