"""What can be wrong with a server, its BMC or the way between them, as causes that have symptoms and no names."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen
class Trouble:
    """The defaults are those of a server that is well.

    Of the BMC:

    deaf              `refuses` connections, or takes them and says nothing (`mute`)
    slow_s            each answer takes so long, in real seconds
    password          what it wants instead of the one that everybody knows
    sessions_full     all its sessions are taken
    certificate       it shows one that nobody has vouched for
    says_power        what it says of the power, whatever is true
    chassis           it shows a chassis as well, whose power `follows` the machine's, or is `on` for ever
    switch_is_dead    it takes the press of the power switch and nothing comes of it
    insert_says       status and message with which it refuses a disc
    boot_says         the same for boot orders
    ejects_after_s    how long it says that a disc is still there that was ejected

    Of the machine:

    drive_is_unseen   the firmware does not see the virtual drive
    fetches_nothing   the firmware gets nothing from URLs
    ignores_override  it boots in its own order, whatever is set
    order             the order that it has come to, instead of the one of the installation
    secure_boot       its firmware boots signed images only
    left_over         there is a Talos on one of its disks, of whomever
    panics            what the kernel says as it dies
    says_uuid         what the machine itself says its UUID is, if not what its BMC says
    complaint         what its Talos has against its configuration
    overlooks_config  its Talos does not look for a configuration
    hangs             it stops in the self test
    installer_says    how the installation fails
    forgets_installation
                      the disk is as it was after every installation
    system_says       what the installed system says on its console
    api_is_shut       its API never opens
    erases_s          how long it erases disks, until it switches itself off
    etcd_waits        its etcd finds no other member, and waits
    """

    deaf: Literal["", "refuses", "mute"] = ""
    slow_s: float = 0.0
    password: str = ""
    sessions_full: bool = False
    certificate: bool = False
    says_power: bool | None = None
    chassis: Literal["", "follows", "on"] = ""
    switch_is_dead: bool = False
    insert_says: tuple[int, str, str] | None = None
    boot_says: tuple[int, str, str] | None = None
    ejects_after_s: float = 0.0
    drive_is_unseen: bool = False
    fetches_nothing: bool = False
    ignores_override: bool = False
    order: tuple[Literal["cd", "disk", "network", "http"], ...] = ()
    secure_boot: bool = False
    left_over: bool = False
    panics: tuple[str, ...] = ()
    says_uuid: str = ""
    complaint: str = ""
    overlooks_config: bool = False
    hangs: bool = False
    installer_says: tuple[str, ...] = ()
    forgets_installation: bool = False
    system_says: tuple[str, ...] = ()
    api_is_shut: bool = False
    etcd_waits: bool = False
    erases_s: float = 0.0


HEALTHY = Trouble()
