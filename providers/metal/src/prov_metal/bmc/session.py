"""Who we are to a BMC: a session's token where it gives one, user and password with each request where not.

A session is begun with the first request and ended when the wire is closed or the process ends. A BMC without
sessions, or with no room for another one, is given user and password each time.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field

from prov_metal.bmc.line import Line, Reply
from prov_metal.bmc.refusals import Refusals, is_full
from provisioner.sdk import ProviderError

ROOT = "/redfish/v1/"
_FAREWELL_S = 3.0


@define
class Session:
    """One BMC. Not for two threads at a time."""

    line: Line
    refusals: Refusals
    _root: Mapping[str, Any] | None = field(init=False, default=None)
    _proof: Mapping[str, str] | None = field(init=False, default=None)
    _place: str = field(init=False, default="")
    _crowded: bool = field(init=False, default=False)

    def root(self) -> Mapping[str, Any]:
        """The service root, which is for everybody. Raises ProviderError."""
        if self._root is None:
            reply = self.line.request("GET", ROOT, None, {})
            if reply.status == 401:
                reply = self.line.request("GET", ROOT, None, self._basic())
            if not reply.fine:
                raise self.refusals.of(reply, f"GET {ROOT}")
            self._root = reply.body
        return self._root

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Reply:
        """One request in our name, and its answer. Raises ProviderError where there is none, or we are not known.

        A session may end early, with the BMC's restart or to make room for somebody else. What was refused for that
        was not done, so it is asked once more in a new session.
        """
        reply = self.line.request(method, path, body, {**headers, **self._known()})
        if reply.status == 401 and self._place:
            self._proof, self._place = None, ""
            reply = self.line.request(method, path, body, {**headers, **self._known()})
        if self._crowded and (reply.status == 401 or is_full(reply)):
            self._proof, self._crowded = None, False
            raise self.refusals.full()
        if reply.status == 401:
            raise self.refusals.stranger()
        return reply

    def end(self) -> None:
        """Gives the session back. Never raises: who ends has no use for a reason."""
        proof, place = self._proof, self._place
        self._proof, self._place = None, ""
        if proof and place:
            with contextlib.suppress(ProviderError):
                self.line.request("DELETE", place, None, proof, _FAREWELL_S)

    def _known(self) -> Mapping[str, str]:
        if self._proof is None:
            self._proof = self._begun()
        return self._proof

    def _begun(self) -> Mapping[str, str]:
        """A new session's token, or what goes without one."""
        link = (self.root().get("Links") or {}).get("Sessions") or {}
        if "@odata.id" not in link:
            return self._basic()
        access = self.line.access
        who = {"UserName": access.username, "Password": str(access.password.reveal())}
        reply = self.line.request("POST", str(link["@odata.id"]), who, {})
        token = reply.headers.get("x-auth-token", "")
        if reply.fine and token:
            # Some name no place in the headers.
            self._place = urlsplit(reply.headers.get("location") or str(reply.body.get("@odata.id") or "")).path
            return {"X-Auth-Token": token}
        if reply.status == 401 or "PasswordChangeRequired" in str(reply.body):
            raise self.refusals.of(reply, f"POST {link['@odata.id']}")
        self._crowded = is_full(reply)
        return self._basic()

    def _basic(self) -> Mapping[str, str]:
        access = self.line.access
        both = f"{access.username}:{access.password.reveal()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
