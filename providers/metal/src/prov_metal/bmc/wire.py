"""Requests to a Redfish service, one at a time.

DMTF's library makes them. Its defaults are not for BMCs: it would wait for ever, try everything ten times, a press of
the power switch included, and check no certificate; here each is set the other way. Nothing is repeated blindly: a
refused ETag is tried in its other spellings, and every other failure becomes an error that says whether it passes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from prov_metal.bmc.address import BmcAddress
from provisioner.sdk import EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry, Secret, Throttled

TIMEOUT_S = 20.0
_BUSY = (409, 423, 500, 502, 504)


@frozen
class Access:
    """How to speak to one BMC. `ca` is a file of authorities, empty for the system's; `fingerprint` pins instead."""

    address: BmcAddress
    username: str
    password: Secret
    ca: str = ""
    fingerprint: str = ""
    verify: bool = True


@frozen
class Reply:
    """An answer: its status, its JSON object (empty where there is none), and its ETag."""

    status: int
    body: Mapping[str, Any]
    etag: str = ""


@define
class Wire:
    """One BMC, one request at a time. Opens nothing before the first request."""

    access: Access
    _client: Any = field(init=False, default=None)
    _turn: threading.Lock = field(init=False, factory=threading.Lock)

    def get(self, path: str) -> Mapping[str, Any]:
        """A resource; raises ProviderError when there is none."""
        return self._fine(self.ask("GET", path), f"GET {path}").body

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, etag: str = "") -> Reply:
        """One request, and what came of it, refusals included.

        Raises ProviderError where nobody answers, the user is refused, or the BMC asks to be left alone.
        """
        headers = {"Connection": "close", "Accept-Encoding": "identity"} | ({"If-Match": etag} if etag else {})
        with self._turn:
            reply = self._send(method, path, body, headers)
        if reply.status == 401:
            raise OperatorNeeded(
                "a BMC refuses the user or the password",
                detail=f"{self.access.address.base} answered 401 to {self.access.username or 'no user'}",
                remedy="correct username and password in the inventory or the provider block",
            )
        if reply.status == 503:
            raise Throttled(
                "a BMC wants fewer calls", detail=f"{self.access.address.base} answered 503", after_s=10.0
            )
        return reply

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Reply:
        """A change that has to succeed, with the ETag of what is changed where the BMC has one.

        Raises ProviderError; a refused precondition is tried once more in the strong form and once without.
        """
        etag = self.ask("GET", path).etag if method == "PATCH" else ""
        for tag in dict.fromkeys((etag, etag.removeprefix("W/"), "")):
            reply = self.ask(method, path, body, tag)
            if reply.status not in (412, 428):
                break
        return self._fine(reply, f"{method} {path}")

    def _fine(self, reply: Reply, what: str) -> Reply:
        if reply.status < 400:
            return reply
        raise self.refused(reply, what)

    def refused(self, reply: Reply, what: str) -> ProviderError:
        """The error for an answer that says no."""
        detail = f"{self.access.address.base} answered {reply.status} to {what}{_said(reply.body)}"
        if reply.status in _BUSY:
            return Retry("a BMC cannot do this now", detail=detail, remedy="it is asked again", after_s=5.0)
        if reply.status == 403:
            return OperatorNeeded(
                "a BMC does not allow this",
                detail=detail,
                remedy="give the user the role of an operator; some BMCs want a licence for virtual media",
            )
        return Fatal("a BMC refuses a request", detail=detail, remedy="look at what it says; see `prov status`")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Reply:
        from redfish.rest.v1 import RetriesExhaustedError

        try:
            answer = self._opened()._rest_request(
                path, method=method, body=None if body is None else dict(body), headers=dict(headers)
            )
        except RetriesExhaustedError as err:
            raise self._silent(err.__cause__ or err.__context__ or err) from None
        try:
            content = answer.dict if answer.read else {}
        except ValueError:
            content = {}
        tag = answer.getheader("ETag") or content.get("@odata.etag") or ""
        return Reply(answer.status, content, _sound(str(tag)))

    def _silent(self, cause: BaseException) -> ProviderError:
        from requests.exceptions import SSLError

        base = self.access.address.base
        if isinstance(cause, SSLError):
            return OperatorNeeded(
                "the certificate of a BMC is not to be trusted",
                detail=f"{base}: neither its authority nor its fingerprint is known",
                remedy="give the BMC's `fingerprint` in the inventory, or the file of its authority as `ca`",
            )
        return EndpointDown("a BMC does not answer", detail=f"{base}: {type(cause).__name__}", after_s=5.0)

    def _opened(self) -> Any:
        if self._client is None:
            self._client = _client(self.access)
        return self._client


def _client(access: Access) -> Any:
    # Loaded here because the libraries are heavy, and planning needs none of them.
    import certifi
    import redfish

    adapter = _pinned(access.fingerprint) if access.fingerprint else None
    trusted = access.ca or certifi.where()
    client = redfish.redfish_client(
        base_url=access.address.base,
        cafile=trusted if access.verify and not access.fingerprint else None,
        timeout=TIMEOUT_S,
        max_retry=0,
        check_connectivity=False,
        https_adapter=adapter,
    )
    client._session.auth = (access.username, str(access.password.reveal()))
    client._session.trust_env = False
    return client


def _pinned(fingerprint: str) -> Any:
    """An adapter that trusts the certificate of this SHA-256, and no other."""
    from requests.adapters import HTTPAdapter

    class Pinned(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, assert_fingerprint=fingerprint, **kwargs)

    return Pinned()


def _sound(tag: str) -> str:
    """An ETag as it can be sent back: some come quoted twice, some are empty."""
    tag = tag.replace('""', '"')
    return "" if tag in ('"', '""', 'W/""') else tag


def _said(body: Mapping[str, Any]) -> str:
    """The first message of an error body, as far as it is short."""
    error = body.get("error")
    if not isinstance(error, Mapping):
        return ""
    infos = error.get("@Message.ExtendedInfo") or [error]
    first = infos[0] if isinstance(infos, list) and infos and isinstance(infos[0], Mapping) else error
    text = str(first.get("Message") or first.get("message") or first.get("MessageId") or "")
    return f": {text[:200]}" if text else ""
