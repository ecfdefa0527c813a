"""Causes that lie with the BMC: that it cannot be spoken to, or does not do what it is told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prov_metal.diagnosis.evidence import Evidence
from prov_metal.diagnosis.rule import Rule

_SWITCHING = ("stopping", "armed", "starting", "parted", "switching")
_AWAITED = ("stopping", "starting", "booting", "from-disk", "switching", "waiting")
_CONTRADICTED = "a BMC says that its machine is off, and it runs"
"""The error of `kinds/power.py`."""


def _bmc(evidence: Evidence) -> str:
    """Where the BMC answers, as its errors have it; for commands."""
    found = re.search(r"(https?|ipmi)://[^\s/:]+(:\d+)?", evidence.error)
    return found[0] if found else "https://BMC"


def _port_of(evidence: Evidence) -> str:
    found = re.search(r":(\d+)$", _bmc(evidence))
    return found[1] if found else "443"


def _host_of(evidence: Evidence) -> str:
    return re.sub(r"^(https?|ipmi)://|:\d+$", "", _bmc(evidence))


def _certificate(e: Evidence) -> str:
    return "its BMC shows a certificate that nobody has vouched for" if "certificate of a BMC" in e.error else ""


def _password(e: Evidence) -> str:
    return "its BMC knows another user or password" if "refuses the user or the password" in e.error else ""


def _sessions(e: Evidence) -> str:
    full = re.search(
        r"RAC0218|SessionLimitExceeded|session table|(maximum|too many|limit).{0,40}session", e.error, re.IGNORECASE
    )
    return "all sessions of its BMC are taken" if full else ""


def _unreachable(e: Evidence) -> str:
    if not _silent(e):
        return ""
    if e.reach.state == "refused":
        return "nobody listens at the address of its BMC"
    return "its BMC cannot be reached" if e.reach.state == "unreachable" else ""


def _frozen(e: Evidence) -> str:
    return "its BMC is frozen: it takes connections and answers nothing" if _silent(e) and _mute(e) else ""


def _slow(e: Evidence) -> str:
    slow = _silent(e) and e.reach.state == "slow"
    return f"its BMC is too slow: {e.reach.seconds:.1f} s for the simplest answer" if slow else ""


def _silent(e: Evidence) -> bool:
    return "does not answer" in e.error


def _mute(e: Evidence) -> bool:
    return e.reach.state == "mute"


def _licence(e: Evidence) -> str:
    return "its BMC lacks a licence for what it is asked" if "has no licence for this" in e.error else ""


def _queued(e: Evidence) -> str:
    return "a job waits in the queue of its BMC" if "has a job in its queue" in e.error else ""


def _url(e: Evidence) -> str:
    about = r"\bUR[IL]s?\b|scheme|file name|extension|fetch|download|mount|remote (file|share|image)|reach the image"
    refused = _inserting(e) and re.search(about, e.error, re.IGNORECASE)
    return "its BMC does not take the URL of the disc, or cannot get what is there" if refused else ""


def _media(e: Evidence) -> str:
    if "no slot for virtual media" in e.error or _inserting(e):
        return "its BMC refuses virtual media"
    return ""


def _inserting(e: Evidence) -> bool:
    return "inserting media" in e.error or "InsertMedia" in e.error


def _eject(e: Evidence) -> str:
    kept = "not ejected" in e.error or "ejecting from" in e.error
    return "its BMC does not let go of the disc that was in" if kept else ""


def _lie(e: Evidence) -> str:
    says_off = e.facts is not None and not e.facts.on and e.phase in _SWITCHING
    if _CONTRADICTED in e.error or (says_off and e.lives):
        return "its BMC says that it is off, and it runs"
    says_on = e.facts is not None and e.facts.on and e.phase in _AWAITED
    if says_on and e.against and not e.lives:
        return f"its BMC says that it is on, and it is off: {e.against[0]} says so, and nothing is seen of it"
    return ""


def _ignored(e: Evidence) -> str:
    if e.facts is None or e.phase not in _SWITCHING or e.lives:
        return ""
    if e.phase == "stopping" or (e.phase == "switching" and e.facts.on):
        return "its BMC takes the order to switch off and does not do it" if e.facts.on else ""
    return "" if e.facts.on else "its BMC takes the order to switch on and does not do it"


def _doubles(e: Evidence) -> str:
    return f"its UUID is also that of {', '.join(e.doubles)}" if e.doubles else ""


RULES: Sequence[Rule] = (
    Rule(
        "bmc-certificate",
        _certificate,
        lambda e: (
            f"see `openssl s_client -connect {_host_of(e)}:{_port_of(e)} </dev/null | openssl x509 -noout "
            "-fingerprint -sha256`, compare it with the BMC's own page, and give it as `fingerprint` in its row"
        ),
    ),
    Rule(
        "bmc-password",
        _password,
        lambda e: f"try `curl -k -u USER {_bmc(e)}/redfish/v1/Systems`, then correct username and password",
    ),
    Rule(
        "bmc-sessions-full",
        _sessions,
        lambda e: (
            f"see `curl -k -u USER {_bmc(e)}/redfish/v1/SessionService/Sessions`, end those that nobody uses, "
            "then `prov apply`"
        ),
    ),
    Rule("bmc-unreachable", _unreachable, lambda e: f"try `ping {_host_of(e)}`; see the BMC's cable and address"),
    Rule(
        "bmc-frozen",
        _frozen,
        lambda e: (
            f"restart the BMC: `ipmitool -I lanplus -H {_host_of(e)} -U USER -a mc reset cold`, or pull its plug"
        ),
    ),
    Rule(
        "bmc-slow",
        _slow,
        lambda e: f"see `time curl -k {_bmc(e)}/redfish/v1/`; restart the BMC, and keep others from polling it",
    ),
    Rule(
        "uuid-duplicate",
        _doubles,
        lambda e: "see whether two rows lead to the same BMC; else let the maker give each board a UUID of its own",
    ),
    Rule(
        "bmc-licence",
        _licence,
        lambda e: (
            "install the licence (iLO Advanced, iDRAC Enterprise, Supermicro SFT-DCMS-SINGLE); or boot it another "
            f"way: `boot: [http, network]` in the row of {e.host}"
        ),
    ),
    Rule(
        "bmc-job-queued",
        _queued,
        lambda e: "start the machine once so that the job runs, or delete it on the BMC's page; then `prov apply`",
    ),
    Rule(
        "url-refused",
        _url,
        lambda e: (
            "see that the BMC's network leads to `serve`, and what forms of URL its manual allows "
            "(`serve_tls` where it is https:// only); then `prov apply`"
        ),
    ),
    Rule(
        "media-refused",
        _media,
        lambda e: (
            "see whether virtual media is licensed and enabled on the BMC; or boot it another way: "
            f"`boot: [http, network]` in the row of {e.host}"
        ),
    ),
    Rule(
        "eject-late",
        _eject,
        lambda e: "eject the disc on the BMC's own page, or restart the BMC; then `prov apply`",
    ),
    Rule(
        "power-lie",
        _lie,
        lambda e: (
            f"restart the BMC, so that it looks at the power again: `ipmitool -I lanplus -H {_host_of(e)} -U USER -a "
            "mc reset cold`; then `prov apply`"
        ),
    ),
    Rule(
        "reset-ignored",
        _ignored,
        lambda e: f"press its power button, or restart the BMC; then see `prov apply` again for {e.host}",
    ),
)
