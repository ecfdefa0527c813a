"""How to speak to one BMC: where it is, who asks, and by what it is known."""

from __future__ import annotations

from attrs import frozen

from prov_metal.bmc.address import BmcAddress
from provisioner.sdk import Secret

TIMEOUT_S = 20.0


@frozen
class Access:
    """How to speak to one BMC. `ca` is a file of authorities, empty for the system's; `fingerprint` pins instead.

    `timeout_s` is how long to wait for each part of an answer.
    """

    address: BmcAddress
    username: str
    password: Secret
    ca: str = ""
    fingerprint: str = ""
    verify: bool = True
    timeout_s: float = TIMEOUT_S
