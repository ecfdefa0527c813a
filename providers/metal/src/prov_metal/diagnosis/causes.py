"""The likely cause of what went wrong, from evidence alone.

Rules stand in an order: first what makes everything else meaningless, then what machines say themselves, then what
follows from what they do not do. The first one that holds is the finding. Where none does, that is what is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from prov_metal.diagnosis import bmc_causes, boot_causes, talos_causes
from prov_metal.diagnosis.evidence import Evidence
from prov_metal.diagnosis.rule import Rule

UNKNOWN = "unknown"
RULES: Sequence[Rule] = (
    *bmc_causes.RULES,
    *talos_causes.RULES,
    *boot_causes.RULES,
)


@frozen
class Finding:
    """`cause` is a stable name, `sentence` tells it, `remedy` has the next command."""

    cause: str
    sentence: str
    remedy: str


def diagnose(evidence: Evidence, rules: Sequence[Rule] = RULES) -> Finding:
    """The first rule that holds."""
    for rule in rules:
        sentence = rule.holds(evidence)
        if sentence:
            return Finding(rule.cause, sentence, rule.remedy(evidence))
    return Finding(UNKNOWN, "", _look(evidence))


def _look(evidence: Evidence) -> str:
    if not evidence.heard and evidence.phase in ("starting", "booting", "parted", "from-disk"):
        return f"set `console` in the row of {evidence.host}, so that prov hears what it says; or look at its screen"
    return f"look at the screen of {evidence.host} and at the log on its BMC's own page"
