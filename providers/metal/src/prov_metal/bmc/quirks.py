"""Where BMCs differ from what Redfish says, as data.

A row applies to the BMCs whose manufacturer and model it matches; the flags of all that apply are joined. What any
BMC may do (ETags, settings resources, media under Systems or Managers, late ejects) is no quirk: the driver is ready
for it everywhere.
"""

from __future__ import annotations

import re

from attrs import frozen


@frozen
class Quirk:
    """Flags for the BMCs that `vendor` and `model` match; both are regular expressions, searched without case.

    bare_insert      InsertMedia takes nothing but `Image`
    usb_cd           virtual media is the boot target `UsbCd`
    whole_boot       a change of the boot source has to name target, enabled and mode together
    always_enabled   the enabled mode has to be sent even where it is the same already
    image_lingers    `Image` stays filled after an eject; only `Inserted` counts
    source           where this was reported
    """

    vendor: str
    model: str = ""
    bare_insert: bool = False
    usb_cd: bool = False
    whole_boot: bool = False
    always_enabled: bool = False
    image_lingers: bool = False
    source: str = ""

    def applies(self, vendor: str, model: str) -> bool:
        return bool(re.search(self.vendor, vendor, re.IGNORECASE) and re.search(self.model, model, re.IGNORECASE))


QUIRKS = (
    Quirk(
        "supermicro",
        bare_insert=True,
        always_enabled=True,
        image_lingers=True,
        source="ansible-collections/community.general 4839, 6969, 7470; SB 2008547",
    ),
    Quirk("supermicro", r"^(?!.*ARS-111GL-NHR)", usb_cd=True, source="openstack/sushy system.py"),
    Quirk(r"ami|american megatrends|asrock", whole_boot=True, source="openstack/ironic management.py"),
)


@frozen
class Habits:
    """The flags of a BMC, see `Quirk`."""

    bare_insert: bool = False
    usb_cd: bool = False
    whole_boot: bool = False
    always_enabled: bool = False
    image_lingers: bool = False


def habits_of(vendor: str, model: str, quirks: tuple[Quirk, ...] = QUIRKS) -> Habits:
    """What is known of the BMCs of a manufacturer and model."""
    rows = [quirk for quirk in quirks if quirk.applies(vendor, model)]
    flags = Habits.__attrs_attrs__
    return Habits(**{flag.name: any(getattr(row, flag.name) for row in rows) for flag in flags})
