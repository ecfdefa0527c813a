"""DMTF's library, with each default that is not for BMCs set the other way.

it would                                       here
wait for ever                                  20 s for each part of an answer
try ten times, a press of the switch included  once
check no certificate                           an authority or a fingerprint, unless told by name not to
take proxies and users from the environment    nothing from there
follow wherever an answer points               reads only, and to the same BMC
log tokens, and passwords with a quote in them nothing
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from attrs import define, field, frozen

from prov_metal.bmc.access import Access
from provisioner.sdk import EndpointDown, OperatorNeeded, ProviderError

_REDIRECTS = (301, 302, 307, 308)
_HOPS = 3


@frozen
class Reply:
    """An answer: its status, its JSON object (empty where there is none), its ETag, and its headers in lower case."""

    status: int
    body: Mapping[str, Any]
    etag: str = ""
    headers: Mapping[str, str] = field(factory=dict)

    @property
    def fine(self) -> bool:
        return self.status < 300

    def after_s(self, otherwise: float) -> float:
        """When to ask again, in seconds, as the answer says it; at most five minutes."""
        text = self.headers.get("retry-after", "")
        return min(float(text), 300.0) if text.isdigit() else otherwise


@define
class Line:
    """One BMC. Opens nothing before the first request."""

    access: Access
    _client: Any = field(init=False, default=None)
    _plain: bool = field(init=False, default=True)

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        timeout_s: float | None = None,
    ) -> Reply:
        """One request and its answer, whatever it says. Raises ProviderError where there is none."""
        reply = self._sent(method, path, body, headers, timeout_s)
        if reply.status == 406 and self._plain:
            self._plain = False  # some know no `identity`
            reply = self._sent(method, path, body, headers, timeout_s)
        for _ in range(_HOPS):
            if method != "GET" or reply.status not in _REDIRECTS:
                break
            reply = self._sent(method, self._same(path, reply), body, headers, timeout_s)
        return reply

    def _same(self, path: str, reply: Reply) -> str:
        """Where a redirect leads. Raises OperatorNeeded where that is another computer: a token is in the request."""
        base = self.access.address.base
        there = urlsplit(urljoin(base + path, reply.headers.get("location", "")))
        if f"{there.scheme}://{there.netloc}" != base:
            raise OperatorNeeded(
                "a BMC sends its callers elsewhere",
                detail=f"{base} answered {reply.status}, which leads to {there.scheme}://{there.netloc}",
                remedy="write the address it really has into the inventory",
            )
        return f"{there.path}?{there.query}" if there.query else there.path

    def _sent(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        timeout_s: float | None,
    ) -> Reply:
        from redfish.rest.v1 import JsonDecodingError, RetriesExhaustedError

        asked = {"Connection": "close"} | ({"Accept-Encoding": "identity"} if self._plain else {}) | dict(headers)
        try:
            answer = self._opened()._rest_request(
                path,
                method=method,
                body=None if body is None else dict(body),
                headers=asked,
                allow_redirects=False,
                timeout=timeout_s,
            )
        except RetriesExhaustedError as err:
            raise self._silent(err.__cause__ or err.__context__ or err) from None
        try:
            content = answer.dict if answer.read else {}
        except (ValueError, JsonDecodingError):  # some refuse in plain words, or with a page for people
            content = {}
        content = content if isinstance(content, dict) else {}
        told = {str(name).lower(): str(value) for name, value in answer.getheaders()}
        tag = told.get("etag") or content.get("@odata.etag") or ""
        return Reply(answer.status, content, _sound(str(tag)), told)

    def _silent(self, cause: BaseException) -> ProviderError:
        from requests.exceptions import SSLError

        base = self.access.address.base
        if isinstance(cause, SSLError):
            return OperatorNeeded(
                "the certificate of a BMC is not to be trusted",
                detail=f"{base}: {_why(str(cause))}",
                remedy="give the BMC's `fingerprint` in the inventory, or the file of its authority as `ca`",
            )
        if isinstance(cause, OSError) and getattr(cause, "filename", None) is None and "CA certificate" in str(cause):
            return OperatorNeeded(
                "the file of a BMC's authority cannot be read",
                detail=f"{self.access.ca} is not there",
                remedy="correct `ca` in the provider block",
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

    # It would write tokens into the log, and of a password with a quote in it the rest; no level brings that back.
    logging.getLogger("redfish.rest.v1").disabled = True
    checks = access.verify and not access.fingerprint
    client = redfish.redfish_client(
        base_url=access.address.base,
        cafile=(access.ca or certifi.where()) if checks else None,
        timeout=access.timeout_s,
        max_retry=0,
        check_connectivity=False,
        https_adapter=_pinned(access.fingerprint) if access.fingerprint else None,
    )
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
    tag = tag.strip("'").replace('""', '"')
    return "" if tag in ('"', '""', 'W/""', 'W/"') else tag


_REASONS = {
    "has expired": "it has expired",
    "not yet valid": "it is not valid yet; see the clock of this computer",
    "doesn't match": "it is for another name",
    "mismatch": "it is for another name",
    "Fingerprints did not match": "its fingerprint is another one",
    "fingerprint": "its fingerprint is another one",
    "WRONG_VERSION_NUMBER": "there is no TLS; redfish+http:// is for that",
}


def _why(text: str) -> str:
    return next((reason for mark, reason in _REASONS.items() if mark in text), "its authority is not known")
