"""An error about a host, with what could be seen, the likely cause, and the next command."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from prov_metal.diagnosis.causes import UNKNOWN, Finding, diagnose
from prov_metal.diagnosis.collect import collect
from prov_metal.diagnosis.evidence import Evidence
from provisioner.sdk import Answer, Fatal, OperatorNeeded, ProviderError, Secret

if TYPE_CHECKING:
    from prov_metal.ways.way import Trip

_WORD = re.compile(r"[^\s\"',:=]{20,}")


def explaining(trip: Trip, phase: str, way: str, act: Callable[[], Answer]) -> Answer:
    """What `act` answers; every error of a host leaves through here, with what is likely behind it."""
    try:
        return act()
    except (Fatal, OperatorNeeded) as err:
        raise explained(err, trip, phase, way) from None


def explained(err: ProviderError, trip: Trip, phase: str, way: str) -> ProviderError:
    """The same error with more to it."""
    evidence = collect(trip, phase, way, err)
    finding = diagnose(evidence)
    secrets = _secrets(trip)
    detail = without_secrets(_told(err, evidence, finding), secrets)
    remedy = without_secrets(
        finding.remedy if finding.cause != UNKNOWN else f"{err.remedy}; {finding.remedy}", secrets
    )
    return _again(err, detail, remedy)


def _told(err: ProviderError, evidence: Evidence, finding: Finding) -> str:
    cause = f"likely: {finding.sentence} ({finding.cause})" if finding.sentence else "the cause is not known"
    seen = "; ".join(evidence.seen())
    return "\n           ".join(filter(None, (err.detail, cause, f"seen: {seen}" if seen else "")))


def _again(err: ProviderError, detail: str, remedy: str) -> ProviderError:
    if isinstance(err, Fatal):
        return Fatal(err.summary, detail=detail, remedy=remedy, effect=err.effect)
    if isinstance(err, OperatorNeeded):
        return OperatorNeeded(err.summary, detail=detail, remedy=remedy)
    return err


def without_secrets(text: str, secrets: frozenset[str]) -> str:
    """The text without the words that are secret; tokens of URLs are taken out of every error of a host."""
    for secret in secrets:
        text = text.replace(secret, "(secret)")
    return text


def _secrets(trip: Trip) -> frozenset[str]:
    """The passwords of the BMC, and all that looks like a key in the configuration, which machines may quote.

    Of the configuration of a host that is made only its digest is on record.
    """
    config: object = trip.wanted.user_data
    words = _WORD.findall(str(config.reveal())) if isinstance(config, Secret) else []
    given = [trip.wanted.password, trip.client.settings.password]
    passwords = [str(secret.reveal()) for secret in given if secret is not None]
    return frozenset([*(word for word in words if re.search(r"\d", word)), *filter(None, passwords)])
