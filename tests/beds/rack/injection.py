"""A fault, a rack that has it, and somebody who runs `prov apply` there."""

from __future__ import annotations

import ssl
from pathlib import Path

from beds.rack.faults import Fault
from beds.rack.operator import Operator, Ran, cluster
from beds.rack.rack import Rack
from prov_sim.machine.certificates import maintenance, server_context

TIMEOUT_S = 0.5
"""How long BMCs are waited for where they are mute or slow; others have the time that a busy computer needs."""


def suffer(fault: Fault, folder: Path, key: Path) -> tuple[Ran, Operator]:
    """How an apply at a rack with the fault ends."""
    deaf = any(trouble.deaf for trouble in fault.troubles)
    hurried = deaf or any(trouble.slow_s for trouble in fault.troubles)
    operator = Operator(folder, key)
    if hurried:
        operator.timeout_s = TIMEOUT_S
    if deaf:
        operator.patience_s = 3 * TIMEOUT_S
    names = [f"r1u{number + 1}" for number in range(fault.control)]
    rack = Rack(
        fault.control,
        folder,
        dict(zip(names, fault.troubles, strict=False)),
        operator.clock,
        context=_unknown_certificate() if fault.tls else None,
        foreign=fault.foreign,
        heard=True,
    )
    with rack:
        operator.rack = rack
        fault.more(rack)
        operator.write(cluster(rack, fault.control, **dict(fault.block)))
        return operator.apply(deadline_s=1200.0), operator


def _unknown_certificate() -> ssl.SSLContext:
    """A certificate that BMCs make for themselves."""
    return server_context(maintenance(), required=False, protocols=("http/1.1",))
