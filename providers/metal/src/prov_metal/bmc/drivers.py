"""Which driver speaks with a BMC."""

from __future__ import annotations

from prov_metal.bmc.access import Access
from prov_metal.bmc.driver import Bmc
from prov_metal.bmc.ipmi import IpmiBmc
from prov_metal.bmc.lan import lan_of
from prov_metal.bmc.redfish import RedfishBmc
from prov_metal.bmc.wire import Wire


def driver(access: Access) -> Bmc:
    """The driver for what an address speaks. Nothing is opened before it is asked something."""
    return IpmiBmc(lan_of(access)) if access.address.ipmi else RedfishBmc(Wire(access))
