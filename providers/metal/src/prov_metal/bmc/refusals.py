"""Answers that say no, as errors of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from prov_metal.bmc.access import Access
from prov_metal.bmc.line import Reply
from prov_metal.bmc.quirks import FULL, LICENCE, PASSING, QUEUED
from provisioner.sdk import Fatal, OperatorNeeded, ProviderError, Retry, Throttled

_BUSY = (409, 412, 423, 428, 500, 502, 504)
GONE = (404, 410)
"""What a BMC has linked to and does not have: it is about to start, for nothing is asked for that is not linked."""
_FIRST = "GET /redfish/v1/"
_CROWDED = (429, 503)
_LONGEST = 200


@frozen
class Refusals:
    """The errors of one BMC. What it says is repeated as far as it is short, and without its password."""

    access: Access

    def of(self, reply: Reply, what: str) -> ProviderError:
        """The error for an answer to `what`, such as `POST /redfish/v1/…`."""
        detail = f"{self.access.address.base} answered {reply.status} to {what}{self.said(reply.body)}"
        if reply.status == 401:
            return self.stranger()
        said = json.dumps(reply.body)
        if LICENCE.search(said):
            return OperatorNeeded(
                "a BMC has no licence for this",
                detail=detail,
                remedy="buy and install what it names (iLO Advanced, iDRAC Enterprise, Supermicro SFT-DCMS-SINGLE), "
                "or boot this host another way: `boot: [http, network]` in its row",
            )
        if QUEUED.search(said):
            return Retry(
                "a BMC has a job in its queue that comes first",
                detail=detail,
                remedy="it is asked again; start the machine once, or delete the job on the BMC's page",
                after_s=reply.after_s(10.0),
            )
        if reply.status in _CROWDED:
            return Throttled("a BMC wants fewer calls", detail=detail, after_s=reply.after_s(10.0))
        lost = reply.status in GONE and what.startswith("GET ") and what != _FIRST
        if lost or reply.status in _BUSY or PASSING.search(said):
            return Retry(
                "a BMC cannot do this now", detail=detail, remedy="it is asked again", after_s=reply.after_s(5.0)
            )
        if reply.status == 403 and "PasswordChangeRequired" in said:
            return OperatorNeeded(
                "a BMC wants its password to be changed first",
                detail=self.access.address.base,
                remedy="set a password of your own on the BMC, and write that into the inventory",
            )
        if reply.status == 403:
            return OperatorNeeded(
                "a BMC does not allow this",
                detail=detail,
                remedy="give the user the role of an operator; some BMCs want a licence for virtual media",
            )
        return Fatal("a BMC refuses a request", detail=detail, remedy="look at what it says; see `prov status`")

    def stranger(self) -> ProviderError:
        """User or password is wrong, or not given. Not tried again: accounts are locked after a few times."""
        base, user = self.access.address.base, self.access.username
        if not user:
            return OperatorNeeded(
                "a BMC wants a user and a password",
                detail=f"{base} answered 401, and no user is given",
                remedy="give `username` and `password` in the inventory or the provider block",
            )
        return OperatorNeeded(
            "a BMC refuses the user or the password",
            detail=f"{base} answered 401 to {user}",
            remedy="correct username and password in the inventory or the provider block",
        )

    def full(self) -> ProviderError:
        """Everybody else who is logged in leaves no room, and passwords without a session are refused too."""
        return Throttled(
            "the session table of a BMC is full",
            detail=f"{self.access.address.base} has no room for another session, and takes no call without one",
            remedy="end sessions on its web page, or restart the BMC; most end by themselves within an hour",
            after_s=30.0,
        )

    def said(self, body: Mapping[str, Any]) -> str:
        """The first message in an answer, after a colon; empty where there is none."""
        texts = (text for text in _messages(body) if text)
        text = " ".join(next(texts, "").split())[:_LONGEST]
        password = str(self.access.password.reveal())
        text = text.replace(password, "…") if password else text
        return f": {text}" if text else ""


def is_full(reply: Reply) -> bool:
    """Whether an answer to a login says that there is no room for another session."""
    return reply.status in (503, 507) or (not reply.fine and bool(FULL.search(json.dumps(reply.body))))


def _messages(body: Mapping[str, Any]) -> Iterator[str]:
    error = body.get("error")
    holders = [error, body] if isinstance(error, Mapping) else [body]
    for holder in holders:
        for infos in (holder.get("@Message.ExtendedInfo"), holder.get("Messages")):
            listed = infos if isinstance(infos, list) else [infos]
            yield from (_text(info) for info in listed if isinstance(info, Mapping))
        if isinstance(holder.get("message"), str):
            yield holder["message"]


def _text(info: Mapping[str, Any]) -> str:
    """A message with its arguments in place; its name where it has no words."""
    given = info.get("MessageArgs")
    arguments = given if isinstance(given, list) else []
    text = str(info.get("Message") or info.get("message") or info.get("MessageId") or "")

    def filled(found: re.Match[str]) -> str:
        number = int(found[1])
        return str(arguments[number - 1]) if 0 < number <= len(arguments) else found[0]

    return re.sub(r"%(\d)", filled, text)
