"""Where makers of BMCs differ in what IPMI leaves open, as data.

An inventory names one with `?vendor=`; what Redfish BMCs differ in is in `quirks`, for they say who made them. All
rows hold by what is written there: none of them has been seen on a machine here.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen
class Flavour:
    """`disk` and `cd` are boot device selectors (IPMI 2.0, table 28-14, parameter 5, data 2, bits 5 to 2).

    disk     what its firmware takes for "the disk" when it boots by UEFI
    cd       what a virtual CD is
    enable   where IPMI over LAN is switched on, for the technician; empty where it is on from the factory
    source   where this was written down
    """

    disk: int = 0x2
    cd: int = 0x5
    enable: str = ""
    source: str = ""


FLAVOURS: Mapping[str, Flavour] = {
    "generic": Flavour(enable="many BMCs have IPMI over LAN switched off; look among their network services"),
    "dell": Flavour(
        cd=0x8,
        enable="iDRAC: Settings, Connectivity, Network, IPMI Settings, Enable IPMI Over LAN",
        source="Dell, Integrated Dell Remote Access Controller 9 User's Guide, configuring IPMI over LAN",
    ),
    "hpe": Flavour(
        enable="iLO: Security, Access Settings, IPMI/DCMI over LAN",
        source="HPE iLO 5 User Guide, access options: off by default",
    ),
    "supermicro": Flavour(disk=0x9, source="openstack/ironic ipmitool.py; storyboard.openstack.org 2008241"),
    "lenovo": Flavour(
        enable="XCC: BMC Configuration, Network, Service Enablement and Port Assignment, IPMI over LAN",
        source="Lenovo XClarity Controller user's guide, service enablement",
    ),
    "fujitsu": Flavour(
        enable="iRMC: Settings, Services, IPMI over LAN; off by default from S6 2.00 on",
        source="openstack/ironic irmc release notes",
    ),
    "cisco": Flavour(
        enable="CIMC: Admin, Communication Services, IPMI over LAN Properties, Enabled",
        source="Cisco UCS C-Series CIMC configuration guide, configuring IPMI",
    ),
    "openbmc": Flavour(
        enable="OpenBMC: Settings, Policies, Network IPMI (out-of-band IPMI)",
        source="openbmc/webui-vue, policies",
    ),
    "ami": Flavour(source="AMI MegaRAC, as generic, but on from the factory"),
}
