"""What a failed control call means for a run of `prov`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from prov_sim.control import ControlError
from provisioner.sdk import Fatal, OperatorNeeded, ProviderError, Retry, Throttled


def provider_error(err: ControlError) -> ProviderError:
    """The error of the house's family for a control error, with what to do next."""
    text = str(err)
    match err.code:
        case "throttled":
            return Throttled("the simulator asks to call less often", detail=text, after_s=0.5)
        case "no-answer":
            return Retry("the simulator did not answer", detail=text, remedy="see `prov sim list`", after_s=0.2)
        case "error":
            return Retry("the simulator failed", detail=text, remedy="see the daemon's log", after_s=0.5)
        case "no-daemon" | "cannot-start":
            return OperatorNeeded(
                "the simulator is not running", detail=text, remedy="look at the daemon's log, then run prov again"
            )
        case "denied":
            return OperatorNeeded(
                "the simulator denied the call", detail=text, remedy="a fault was asked for; run prov again"
            )
        case "dead":
            return OperatorNeeded(
                "the machine is dead",
                detail=text,
                remedy="list its node under `without:` of its pool and apply; take that out, and it is made anew",
            )
        case "conflict":
            return Fatal(
                "the simulator has another object of this name",
                detail=text,
                remedy="give this cluster another name, or remove the other one; `prov sim list` shows whose it is",
                effect=False,
            )
        case "not-found":
            return Fatal("the object is gone", detail=text, remedy="plan again", effect=False)
        case _:
            return Fatal(
                "the simulator refuses this", detail=text, remedy="correct what the detail names", effect=False
            )


@contextlib.contextmanager
def as_provider_errors() -> Iterator[None]:
    """Lets control errors inside come out as errors of the house."""
    try:
        yield
    except ControlError as err:
        raise provider_error(err) from None
