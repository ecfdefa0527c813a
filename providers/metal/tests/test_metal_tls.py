"""By what a BMC is known, and what DMTF's library would do that must not happen."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, evolve, field
from beds.bmc.bed import BmcBed
from beds.bmc.certificates import Authority
from beds.bmc.exchange import Answer, Asked, Pass
from beds.bmc.service import Sessions
from prov_metal.bmc.address import parse
from prov_metal.bmc.redfish import RedfishBmc
from prov_metal.bmc.wire import Access, Wire

from provisioner.sdk import EndpointDown, Fatal, OperatorNeeded, Secret

Serve = Callable[..., BmcBed]
UNTRUSTED = "the certificate of a BMC is not to be trusted"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a BMC with a certificate."""
    beds: list[BmcBed] = []

    def start(*habits: object, tls: object = None) -> BmcBed:
        bed = BmcBed(tmp_path / f"state{len(beds)}", habits, tls)  # type: ignore[arg-type]
        bed.state.mkdir()
        beds.append(bed.__enter__())
        return bed

    yield start
    for bed in beds:
        bed.__exit__()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def _bmc(address: str, **how: object) -> RedfishBmc:
    return RedfishBmc(Wire(Access(parse(address), "admin", Secret("hunter2"), **how)))  # type: ignore[arg-type]


def test_a_certificate_of_a_known_authority_is_trusted(serve: Serve, authority: Authority) -> None:
    bed = serve(tls=authority.server()[0])
    assert not _bmc(bed.address, ca=str(authority.file)).facts().on


def test_without_a_word_the_system_s_authorities_count(serve: Serve, authority: Authority) -> None:
    """The library would check nothing."""
    bed = serve(tls=authority.server()[0])
    with pytest.raises(OperatorNeeded, match=UNTRUSTED) as caught:
        _bmc(bed.address).facts()
    assert "its authority is not known" in caught.value.detail
    assert "`fingerprint`" in caught.value.remedy
    assert bed.asked == []


def test_an_authority_that_did_not_sign_is_of_no_use(serve: Serve, authority: Authority, tmp_path: Path) -> None:
    bed = serve(tls=authority.server()[0])
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "rack")
    with pytest.raises(OperatorNeeded, match=UNTRUSTED):
        _bmc(bed.address, ca=str(other.file)).facts()
    assert bed.asked == []


def test_a_file_of_authorities_that_is_not_there_is_named(serve: Serve, authority: Authority) -> None:
    bed = serve(tls=authority.server()[0])
    with pytest.raises(OperatorNeeded, match="authority cannot be read") as caught:
        _bmc(bed.address, ca="/nowhere/ca.pem").facts()
    assert "/nowhere/ca.pem" in caught.value.detail


def test_an_expired_certificate_is_refused(serve: Serve, authority: Authority) -> None:
    bed = serve(tls=authority.server(ends=-timedelta(days=1))[0])
    with pytest.raises(OperatorNeeded, match=UNTRUSTED) as caught:
        _bmc(bed.address, ca=str(authority.file)).facts()
    assert "it has expired" in caught.value.detail
    assert bed.asked == []


def test_a_certificate_for_another_name_is_refused(serve: Serve, authority: Authority) -> None:
    bed = serve(tls=authority.server(address="10.0.0.99")[0])
    with pytest.raises(OperatorNeeded, match=UNTRUSTED) as caught:
        _bmc(bed.address, ca=str(authority.file)).facts()
    assert "it is for another name" in caught.value.detail
    assert bed.asked == []


@pytest.mark.parametrize("form", [str, str.upper, lambda pin: ":".join(pin[at : at + 2] for at in range(0, 64, 2))])
@pytest.mark.parametrize("ends", [timedelta(days=30), -timedelta(days=1)])
def test_a_pinned_certificate_is_trusted_as_it_is(
    serve: Serve, authority: Authority, form: Callable[[str], str], ends: timedelta
) -> None:
    """Whoever signed it, whatever its name and date are, in each spelling of the fingerprint."""
    tls, pin = authority.server(address="10.0.0.99", ends=ends)
    bed = serve(tls=tls)
    assert not _bmc(bed.address, fingerprint=form(pin)).facts().on


def test_another_certificate_than_the_pinned_one_is_refused(serve: Serve, authority: Authority) -> None:
    """Also where its authority is known, and checking is off: the pin is what was asked for."""
    (tls, _), (_, other) = authority.server(), authority.server()
    bed = serve(tls=tls)
    for how in ({}, {"ca": str(authority.file)}, {"verify": False}):
        with pytest.raises(OperatorNeeded, match=UNTRUSTED) as caught:
            _bmc(bed.address, fingerprint=other, **how).facts()
        assert "its fingerprint is another one" in caught.value.detail
    assert bed.asked == []


def test_nothing_is_checked_only_where_that_is_said(serve: Serve, authority: Authority) -> None:
    bed = serve(tls=authority.server(address="10.0.0.99")[0])
    assert not _bmc(bed.address, verify=False).facts().on


def test_https_and_plain_http_are_told_apart(serve: Serve, authority: Authority) -> None:
    """Each address in the other's place gets an error, and no password gets out."""
    secure, plain = serve(tls=authority.server()[0]), serve()
    with pytest.raises(EndpointDown, match="does not answer"):
        _bmc(secure.address.replace("redfish:", "redfish+http:"), timeout_s=2.0).facts()
    with pytest.raises(OperatorNeeded) as caught:
        _bmc(plain.address.replace("redfish+http:", "redfish:")).facts()
    assert "there is no TLS" in caught.value.detail
    assert (secure.asked, plain.asked) == ([], [])


def test_the_environment_has_no_say(
    serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither proxies nor authorities nor users are taken from it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    bed, plain = serve(tls=authority.server()[0]), serve()
    with pytest.raises(OperatorNeeded, match=UNTRUSTED):
        _bmc(bed.address).facts()
    assert not _bmc(plain.address).facts().on
    assert {
        asked.headers.get("Authorization", "").split()[-1:] == ["YWRtaW46aHVudGVyMg=="] for asked in plain.asked[1:]
    } == {True}


# what the library would repeat, and wait for


@define
class Deaf:
    """A BMC that takes connections and never says a word, or hangs up on each request."""

    hangs_up: bool = False
    _callers: list[object] = field(factory=list)
    _socket: socket.socket = field(init=False)

    def __enter__(self) -> Deaf:
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def address(self) -> str:
        return f"redfish+http://127.0.0.1:{self._socket.getsockname()[1]}"

    def met(self) -> int:
        """How many came so far; connections are taken in the order in which they are made."""
        with socket.create_connection(self._socket.getsockname()) as last:
            while last.getsockname() not in self._callers:
                threading.Event().wait(0.001)
            return self._callers.index(last.getsockname())

    def _serve(self) -> None:
        held = []
        while True:
            try:
                connection, caller = self._socket.accept()
            except OSError:
                return
            self._callers.append(caller)
            connection.recv(1)
            if self.hangs_up:
                connection.close()
            held.append(connection)


@pytest.mark.parametrize("hangs_up", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_waits_for_ever_and_nothing_is_sent_twice(hangs_up: bool, method: str) -> None:
    """The library would wait without end, and send everything eleven times."""
    with Deaf(hangs_up) as deaf:
        bmc = _bmc(deaf.address, timeout_s=0.2)
        with pytest.raises(EndpointDown, match="does not answer"):
            bmc.wire._session.line.request(method, "/redfish/v1/", {} if method == "POST" else None, {})
        assert deaf.met() == 1


@pytest.mark.parametrize("status", [301, 307])
def test_a_token_goes_to_no_other_computer(serve: Serve, status: int) -> None:
    """A redirect to elsewhere is refused; the library would follow it with the token."""
    elsewhere = serve()

    def lead(asked: Asked, on: Pass) -> Answer:
        there = elsewhere.address.replace("redfish+http", "http")
        return (
            Answer(status, None, {"Location": there + asked.path}) if asked.path.endswith("/Systems") else on(asked)
        )

    bed = serve(lead, Sessions())
    with pytest.raises(OperatorNeeded, match="sends its callers elsewhere"):
        _bmc(bed.address).facts()
    assert elsewhere.asked == []


def test_a_redirect_to_the_same_bmc_is_followed(serve: Serve) -> None:
    """Collections may live under another name."""

    def lead(asked: Asked, on: Pass) -> Answer:
        if asked.path.endswith("/Systems"):
            return Answer(307, None, {"Location": "/redfish/v1/Machines"})
        return on(evolve(asked, path=asked.path.replace("/Machines", "/Systems")))

    assert not _bmc(serve(lead).address).facts().on


def test_a_press_of_the_switch_is_never_redirected(serve: Serve) -> None:
    """It would be pressed where nobody said."""

    def lead(asked: Asked, on: Pass) -> Answer:
        return Answer(307, None, {"Location": "/redfish/v1/other"}) if asked.method == "POST" else on(asked)

    bed = serve(lead)
    with pytest.raises(Fatal, match="refuses a request") as caught:
        _bmc(bed.address).switch(on=True)
    assert "answered 307" in caught.value.detail
    assert [asked.path for asked in bed.asked if asked.path.endswith("/other")] == []
