"""A host as it is wanted, and what it tells once it is made."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from prov_metal.bmc.driver import Facts
from provisioner.sdk import Job, Secret, output, prop


@frozen(kw_only=True)
class HostProps:
    """A host as it is wanted.

    host         its name in the inventory, which is its place in a rack
    address      where its Talos API answers
    image        the ISO to boot, a URL or a file
    http_image   the ISO or the program (`.efi`) that its firmware fetches by HTTP
    kernel, initramfs, cmdline
                 what it boots over the network
    user_data    its configuration
    authority    base64 of the PEM certificate by which a node of the cluster is known
    authority_key
                 the key that goes with it: nodes tell whether they run from their disk only to those it vouches for
    power        `on` or `off`
    disk         Talos is installed onto this one, for the plan to say
    wipe         the disks that are erased when its node leaves for good
    boot         names of the ways it is booted in, in the order in which they are tried
    trust        how sure one has to be of it before it gets its configuration, see `trust`
    The rest is as in the inventory.
    """

    host: str = prop(immutable=True)
    address: str = prop(immutable=True)
    bmc: str = prop(readable=False)
    username: str = prop(readable=False, default="")
    password: Secret | None = prop(secret=True, readable=False, default=None)  # noqa: RUF009
    fingerprint: str = prop(readable=False, default="")
    verify: bool = prop(readable=False, default=True)
    uuid: str = prop(readable=False, default="")
    serial: str = prop(readable=False, default="")
    image: str = prop(birth=True)
    user_data: Secret = prop(birth=True, secret=True, readable=False)  # noqa: RUF009
    authority: str = prop(birth=True, readable=False)
    authority_key: Secret = prop(birth=True, secret=True, readable=False)  # noqa: RUF009
    power: str = prop(default="on")
    boot: tuple[str, ...] = prop(birth=True, readable=False, default=("media",))
    disk: str = prop(birth=True, readable=False, default="")
    wipe: tuple[str, ...] = prop(readable=False, default=())
    trust: str = prop(birth=True, readable=False, default="media")
    console: str = prop(readable=False, default="")
    macs: tuple[str, ...] = prop(birth=True, readable=False, default=())
    http_image: str = prop(birth=True, readable=False, default="")
    kernel: str = prop(birth=True, readable=False, default="")
    initramfs: str = prop(birth=True, readable=False, default="")
    cmdline: str = prop(birth=True, readable=False, default="")


@frozen
class HostOutputs:
    """`id` is the host's name: a chassis may be exchanged, the place in the rack is the same."""

    id: str = output()
    host: str = output()
    vendor: str = output(volatile=True, default="")
    model: str = output(volatile=True, default="")
    serial: str = output(volatile=True, default="")


HostJob: TypeAlias = Job[HostProps, HostOutputs]


def outputs_of(wanted: HostProps, facts: Facts) -> HostOutputs:
    """What a host tells that was found with these facts."""
    return HostOutputs(wanted.host, wanted.address, facts.vendor, facts.model, facts.serial)
