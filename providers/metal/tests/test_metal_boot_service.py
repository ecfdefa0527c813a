"""The boot service before a real HTTP client: who gets what, for how long, and what is remembered of it."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from attrs import define
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prov_metal.boot.blobs import Blob
from prov_metal.boot.requests import Request, RequestLog
from prov_metal.boot.server import place
from prov_metal.boot.service import BootService, service_at
from prov_metal.boot.tls import Tls
from prov_metal.boot.tokens import redacted, token, without_tokens

from provisioner.sdk import Fatal, OperatorNeeded

T = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
DATA = bytes(range(200))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@define
class Clock:
    time: datetime = BEGIN

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> Iterator[BootService]:
    made = BootService(place(f"127.0.0.1:{_port()}"), now=clock.now)
    yield made
    made.close()


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _asked(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes, str]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=headers)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, body, reply.getheader("Content-Range", "")


def _offer(service: BootService, form: str = "iso", host: str = "r1u1", secret: str = T, data: bytes = DATA) -> str:
    return service.offer(host, secret, form, lambda: Blob.of(data))


def _log(service: BootService, host: str = "") -> list[tuple[str, str, int, int, str]]:
    return [(one.host, one.what, one.status, one.sent, one.why) for one in service.requests(host)]


def test_a_disc_is_served_whole_and_in_pieces(service: BootService) -> None:
    """BMCs read as if it were a disc, here a piece and there a piece; what is in a file comes out the same."""
    url = _offer(service)
    assert url.endswith(f"/{T}/r1u1.iso")
    assert _asked(url) == (200, DATA, "")
    assert _asked(url, Range="bytes=10-19") == (206, DATA[10:20], "bytes 10-19/200")
    assert _asked(url, Range="bytes=190-") == (206, DATA[190:], "bytes 190-199/200")
    assert _asked(url, Range="bytes=-5") == (206, DATA[195:], "bytes 195-199/200")
    assert _asked(url, Range="bytes=300-400") == (200, DATA, "")
    assert _asked(url, "HEAD") == (200, b"", "")


def test_what_lies_in_a_file_is_served_from_there(service: BootService, tmp_path: Path) -> None:
    (tmp_path / "disc").write_bytes(DATA)
    url = service.offer("r1u1", T, "iso", lambda: Blob.at(tmp_path / "disc"))
    assert _asked(url, Range="bytes=10-19")[1] == DATA[10:20]


def test_a_thing_is_made_once(service: BootService) -> None:
    """However often it is offered."""
    made: list[int] = []

    def make() -> Blob:
        made.append(1)
        return Blob.of(DATA)

    for _ in range(3):
        service.offer("r1u1", T, "iso", make)
    assert made == [1]
    assert service.offers("r1u1", T, "iso")
    assert not service.offers("r1u1", T, "yaml")
    assert not service.offers("r1u2", T, "iso")


def test_who_does_not_know_the_token_gets_nothing(service: BootService) -> None:
    """Nor does another host by its own token; the log says which host was meant."""
    url, other = _offer(service), _offer(service, host="r1u2", secret=OTHER)
    assert _asked(url.replace(T, OTHER))[0] == 404
    assert _asked(url.replace(T, "guess"))[0] == 404
    assert _asked(other.replace("r1u2", "r1u1"))[0] == 404
    why = "the token is not that of this host"
    assert _log(service) == [("r1u1", "iso", 404, 0, why)] * 3


def test_a_configuration_is_read_again_and_again_until_the_host_is_installed(service: BootService) -> None:
    """Then it is gone for good, and the answer tells that it was there."""
    url = _offer(service, "yaml")
    assert [_asked(url)[0] for _ in range(3)] == [200, 200, 200]
    service.revoke("r1u1")
    assert _asked(url)[0] == 410
    assert not service.offers("r1u1", T, "yaml")
    assert _log(service)[-1] == ("r1u1", "config", 410, 0, "the host is installed")
    assert _asked(_offer(service, "yaml"))[0] == 200  # begun anew


def test_nothing_is_served_for_longer_than_three_hours(service: BootService, clock: Clock) -> None:
    """Offering it again does not make it last longer; Talos does not ask for longer either."""
    url = _offer(service, "yaml")
    clock.time += timedelta(hours=3)
    assert _asked(_offer(service, "yaml"))[0] == 200
    clock.time += timedelta(seconds=1)
    assert _asked(url)[0] == 410
    assert _log(service)[-1][4] == "three hours are over"


def test_a_host_that_is_begun_anew_has_its_time_anew(service: BootService, clock: Clock) -> None:
    """Ways that lead nowhere may take as long together."""
    _offer(service, "yaml")
    clock.time += timedelta(hours=2)
    service.revoke("r1u1")
    url = _offer(service, "yaml")
    clock.time += timedelta(hours=2)
    assert _asked(url)[0] == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?uuid=6AE7F5B2-0000-4000-8000-000000000001", 200),
        ("?uuid=b2f5e76a-0000-0040-8000-000000000001", 200),  # SMBIOS turns the first parts
        ("?uuid=6ae7f5b2-0000-4000-8000-000000000002", 403),
        ("?uuid=${uuid}&serial=", 200),
        ("?serial=S1&mac=52-54-00-00-00-01", 200),
        ("?serial=S2", 403),
        ("?mac=52:54:00:00:00:02", 403),
        ("?uuid=00000000-0000-0000-0000-000000000000", 200),
    ],
)
def test_a_machine_that_says_it_is_another_one_gets_nothing(service: BootService, query: str, status: int) -> None:
    """What it cannot say, or nobody knows, is no reason."""
    url = _offer(service, "yaml")
    facts = {"uuid": ("6ae7f5b2-0000-4000-8000-000000000001",), "serial": ("S1",), "mac": ("52:54:00:00:00:01",)}
    service.knows("r1u1", T, facts)
    assert _asked(url + query)[0] == status
    (asked,) = service.requests("r1u1")
    assert bool(asked.why) == (status == 403)
    assert asked.said == " ".join(sorted(part for part in query[1:].split("&") if not part.endswith("=")))


def test_ipxe_is_sent_on_to_the_script_of_the_host_with_this_card(service: BootService) -> None:
    """Only while that is being made; there is no token in what everybody may read."""
    script = _offer(service, "ipxe", data=b"#!ipxe\n")
    service.knows("r1u1", T, {}, ("52:54:00:00:00:01",))
    base = script.partition(f"/{T}")[0]
    status, menu, _ = _asked(f"{base}/boot.ipxe")
    assert (status, menu) == (200, f"#!ipxe\nchain {base}/mac/${{netX/mac:hexhyp}}.ipxe || exit\n".encode())
    assert _asked(f"{base}/mac/52-54-00-00-00-01.ipxe")[:2] == (200, b"#!ipxe\n")
    assert _asked(f"{base}/mac/52-54-00-00-00-02.ipxe")[0] == 404
    service.revoke("r1u1")
    assert _asked(f"{base}/mac/52-54-00-00-00-01.ipxe")[0] == 404
    assert [(one.host, one.what, one.status) for one in service.requests()] == [
        ("", "menu", 200),
        ("r1u1", "script", 200),
        ("", "script", 404),
        ("", "script", 404),
    ]


def test_images_are_no_secret(service: BootService) -> None:
    url = service.image("1234", "initramfs-amd64.xz", lambda: Blob.of(DATA))
    assert url.endswith("/image/1234/initramfs-amd64.xz")
    assert _asked(url) == (200, DATA, "")
    assert _asked(url.replace("1234", "4321"))[0] == 404
    assert [one[1:3] for one in _log(service)] == [("initramfs", 200), ("initramfs", 404)]


def test_pieces_of_one_disc_are_one_entry_of_the_log() -> None:
    """A BMC reads a disc in thousands of them; in between other things are still told."""
    log, piece = RequestLog(), Request(BEGIN, "r1u1", "iso", 206, "10.0.0.11", 512)
    for one in (piece, piece, Request(BEGIN, "r1u1", "config", 200, "10.1.0.11", 9), piece):
        log.add(one)
    assert [(one.what, one.sent) for one in log.all()] == [("iso", 1024), ("config", 9), ("iso", 512)]
    assert log.all("r1u2") == []


def test_a_client_that_goes_away_troubles_nobody(service: BootService, capfd: pytest.CaptureFixture[str]) -> None:
    """And what it asked for is not written anywhere."""
    url = _offer(service, data=bytes(20_000_000))
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = socket.create_connection((parts.hostname, parts.port or 0))
    connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    connection.recv(1000)
    connection.close()
    silent = socket.create_connection((parts.hostname, parts.port or 0))
    assert _asked(url, Range="bytes=0-9")[0] == 206
    silent.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.metal
def test_curl_goes_on_where_it_was_cut_off(service: BootService, tmp_path: Path) -> None:
    """A client that is not ours."""
    url, file = _offer(service), tmp_path / "disc"
    file.write_bytes(DATA[:50])
    done = subprocess.run(["curl", "-s", "-C", "-", "-o", file, url], check=False, timeout=100)
    assert done.returncode == 0
    assert file.read_bytes() == DATA


def test_with_a_certificate_it_is_https(certificate: Tls) -> None:
    """For a client that trusts it; one that does not gets no byte, and nobody else has to wait for it."""
    service = BootService(place(f"127.0.0.1:{_port()}", secure=True), certificate)
    path = urlsplit(_offer(service)).path
    assert service.where.base.startswith("https://")
    silent = socket.create_connection((service.where.host, service.where.port))
    trusting = ssl.create_default_context(cafile=certificate.cert)
    assert _over_tls(service, path, trusting) == DATA
    with pytest.raises(ssl.SSLCertVerificationError):
        _over_tls(service, path, ssl.create_default_context())
    silent.close()
    service.close()


def _over_tls(service: BootService, path: str, context: ssl.SSLContext) -> bytes:
    connection = HTTPSConnection(service.where.host, service.where.port, timeout=60, context=context)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body


@pytest.fixture
def certificate(tmp_path: Path) -> Tls:
    """For 127.0.0.1, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "boot")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Tls(str(cert), str(secret))


@pytest.mark.parametrize(
    "address", ["", "0.0.0.0:8069", "[::]:8069", "10.0.0.5", "10.0.0.5:0", "10.0.0.5:http", "a/b:1"]
)
def test_nothing_is_served_at_large(address: str) -> None:
    """What machines cannot be sent to is refused, all interfaces among it."""
    with pytest.raises(OperatorNeeded) as caught:
        place(address)
    assert "serve" in caught.value.remedy


def test_all_interfaces_are_listened_to_where_somebody_says_so() -> None:
    """URLs name the one address all the same."""
    where = place("10.0.0.5:8069", everywhere=True)
    assert (where.host, where.base) == ("0.0.0.0", "http://10.0.0.5:8069")
    assert place("[fd00::5]:8069").base == "http://[fd00::5]:8069"


def test_a_place_that_is_taken_or_elsewhere_is_told(service: BootService) -> None:
    _offer(service)
    for where in (service.where, place("203.0.113.7:8069")):
        with pytest.raises(OperatorNeeded, match="nothing can be served at this place"):
            BootService(where).listen()


def test_a_run_beside_a_service_of_its_own_tells_the_same_places() -> None:
    """And makes and listens to nothing."""
    alone = BootService(place("203.0.113.7:8069"), alone=True)
    assert alone.offers("r1u1", T, "iso")
    assert alone.offer("r1u1", T, "iso", lambda: pytest.fail("nothing is made")) == alone.url("r1u1", T, "iso")


def test_all_clients_of_a_process_share_what_serves_at_an_address() -> None:
    """The settling and the applying of one run would be in each other's way."""
    address = f"127.0.0.1:{_port()}"
    assert service_at(address) is service_at(address)
    with pytest.raises(OperatorNeeded, match="at one place in two ways"):
        service_at(address, alone=True)


def test_a_token_follows_from_the_state_the_host_and_its_generation() -> None:
    """The same for a run that goes on; 32 digits."""

    def derive(purpose: str) -> str:
        return sha256(purpose.encode()).hexdigest()

    assert token(derive, "r1u1", 1) == token(derive, "r1u1", 1)
    assert len({token(derive, "r1u1", 1), token(derive, "r1u1", 2), token(derive, "r1u2", 1)}) == 3
    assert len(token(derive, "r1u1", 1)) == 32


@pytest.mark.parametrize(
    "text",
    [
        f"cannot fetch http://10.0.0.5:8069/{T}/r1u1.iso",
        f'{{"Image": "http:\\/\\/10.0.0.5:8069\\/{T}\\/r1u1.iso"}}',
        f"http%3A%2F%2F10.0.0.5%2F{T}%2Fr1u1.iso",
        f"http://10.0.0.5:8069/{T}",
        f"cut off: http://10.0.0.5:8069/{T[:20]}",
    ],
)
def test_a_token_is_not_told(text: str) -> None:
    """BMCs quote URLs, whole or in part; what else is told stays."""
    found = redacted(text)
    assert T[:8] not in found
    assert found.startswith(text[: text.index(T[:8])])


def test_errors_that_leave_have_no_token() -> None:
    def fails() -> None:
        raise Fatal("a BMC refuses", detail=f"the URL http://a:1/{T}/r1u1.iso is bad", remedy=f"see /{T}/")

    with pytest.raises(Fatal) as caught:
        without_tokens(fails)
    assert (caught.value.detail, caught.value.remedy) == ("the URL http://a:1/…/r1u1.iso is bad", "see /…/")
