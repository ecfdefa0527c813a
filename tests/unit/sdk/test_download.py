"""Downloads: complete under their name or not there, whatever the server does."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from fakes.file_server import Cut, FileServer, Hold, Redirect, Status, file_server

from provisioner.sdk import Downloads, EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry, cache_folder

CONTENT = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as served:
        served.files["/image/disk.raw"] = CONTENT
        yield served


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def downloads(tmp_path: Path, pauses: list[float]) -> Downloads:
    return Downloads(tmp_path / "cache", pauses.append)


def left_over(downloads: Downloads) -> set[str]:
    """Files that a person would see in the folder, but for the list of checksums."""
    found = (path.relative_to(downloads.folder).parts[-1] for path in downloads.folder.rglob("*") if path.is_file())
    return {name for name in found if not name.startswith(".") and name != "checksums.sha256"}


def test_a_file_is_fetched_once(server: FileServer, downloads: Downloads) -> None:
    """The second call finds the first one's file, and asks nobody."""
    first = downloads.fetch(f"{server.url}/image/disk.raw")
    second = downloads.fetch(f"{server.url}/image/disk.raw")

    assert (CONTENT, DIGEST, len(CONTENT)) == (first.path.read_bytes(), first.sha256, first.size)
    assert first == second
    assert len(server.requests) == 1


def test_a_cut_connection_goes_on_where_it_was_cut(server: FileServer, downloads: Downloads) -> None:
    """What has arrived is kept, and only the rest is asked for."""
    server.faults.extend([Cut(300_000), Cut(100_000)])

    fetched = downloads.fetch(f"{server.url}/image/disk.raw")

    assert [headers.get("Range") for _, _, headers in server.requests] == [None, "bytes=300000-", "bytes=400000-"]
    assert fetched.path.read_bytes() == CONTENT
    assert {"disk.raw"} == left_over(downloads)


def test_a_later_call_goes_on_too(server: FileServer, downloads: Downloads) -> None:
    """A call that gave up leaves its part, under another name, and the next call needs only the rest."""
    server.faults.append(Cut(300_000))
    server.faults.extend([Status(500)] * 5)
    with pytest.raises(Retry):
        downloads.fetch(f"{server.url}/image/disk.raw")
    assert not downloads.place(f"{server.url}/image/disk.raw").exists()

    fetched = downloads.fetch(f"{server.url}/image/disk.raw")

    assert server.requests[-1][2]["Range"] == "bytes=300000-"
    assert fetched.path.read_bytes() == CONTENT


def test_a_file_that_changed_in_between_is_fetched_anew(server: FileServer, downloads: Downloads) -> None:
    """The bytes of two versions are never mixed."""
    server.faults.append(Cut(300_000))
    server.faults.extend([Status(500)] * 5)
    with pytest.raises(Retry):
        downloads.fetch(f"{server.url}/image/disk.raw")
    server.files["/image/disk.raw"] = CONTENT[::-1]

    assert CONTENT[::-1] == downloads.fetch(f"{server.url}/image/disk.raw").path.read_bytes()


def test_a_server_without_ranges_sends_all_of_it_again(server: FileServer, downloads: Downloads) -> None:
    """As the Image Factory itself does, where nothing stands between it and us."""
    server.ranges = False
    server.faults.append(Cut(300_000))

    assert downloads.fetch(f"{server.url}/image/disk.raw").path.read_bytes() == CONTENT
    assert [headers.get("Range") for _, _, headers in server.requests] == [None, None]


def test_a_part_longer_than_the_file_is_thrown_away(server: FileServer, downloads: Downloads) -> None:
    target = downloads.place(f"{server.url}/image/disk.raw")
    target.parent.mkdir(parents=True)
    target.with_name("disk.raw.part").write_bytes(CONTENT + b"more")
    etag = hashlib.sha256(CONTENT).hexdigest()[:16]
    target.with_name("disk.raw.part.version").write_text(f'"\\"{etag}\\""')

    assert downloads.fetch(f"{server.url}/image/disk.raw").path.read_bytes() == CONTENT
    assert f"bytes={len(CONTENT) + 4}-" == server.requests[0][2]["Range"]


def test_a_redirect_is_followed(server: FileServer, downloads: Downloads) -> None:
    """The file is kept under the address that was asked for."""
    server.files["/storage/abc"] = CONTENT
    server.faults.append(Redirect("/storage/abc?signature=secret"))

    fetched = downloads.fetch(f"{server.url}/image/other.raw")

    assert (fetched.path.read_bytes(), fetched.path.name) == (CONTENT, "other.raw")


def test_a_busy_server_is_asked_again_with_pauses(
    server: FileServer, downloads: Downloads, pauses: list[float]
) -> None:
    """Pauses grow while nothing new arrives."""
    server.faults.extend([Status(503), Status(502), Status(429)])

    assert downloads.fetch(f"{server.url}/image/disk.raw").path.read_bytes() == CONTENT
    assert pauses == [2.0, 4.0, 8.0]


def test_a_server_that_stays_busy_is_left_alone(server: FileServer, downloads: Downloads) -> None:
    """After five attempts without a new byte; the engine may call again, after the pause the server asked for."""
    server.faults.extend([Status(503, (("Retry-After", "17"),))] * 9)

    with pytest.raises(Retry) as caught:
        downloads.fetch(f"{server.url}/image/disk.raw")

    assert (caught.value.after_s, len(server.requests)) == (17.0, 5)
    assert "/image/disk.raw: the server answered 503" in caught.value.detail


@pytest.mark.parametrize(
    ("status", "error"), [(401, OperatorNeeded), (402, OperatorNeeded), (403, OperatorNeeded), (404, Fatal)]
)
def test_a_refusal_is_final(
    server: FileServer, downloads: Downloads, status: int, error: type[ProviderError]
) -> None:
    """Repeating cannot help, so nothing is repeated."""
    server.faults.append(Status(status))

    with pytest.raises(error) as caught:
        downloads.fetch(f"{server.url}/image/disk.raw")

    assert str(status) in caught.value.detail
    assert len(server.requests) == 1
    assert set() == left_over(downloads)


def test_nobody_at_the_address(downloads: Downloads) -> None:
    with file_server() as gone:
        url = f"{gone.url}/image/disk.raw"
    with pytest.raises(EndpointDown):
        downloads.fetch(url)


@pytest.mark.parametrize("digest", [DIGEST, DIGEST.upper()])
def test_the_right_checksum_is_accepted(server: FileServer, downloads: Downloads, digest: str) -> None:
    assert downloads.fetch(f"{server.url}/image/disk.raw", sha256=digest).sha256 == DIGEST


def test_a_wrong_checksum_leaves_nothing(server: FileServer, downloads: Downloads) -> None:
    """Neither the file nor its part; both checksums are told."""
    wanted = hashlib.sha256(b"something else").hexdigest()

    with pytest.raises(OperatorNeeded) as caught:
        downloads.fetch(f"{server.url}/image/disk.raw", sha256=wanted)

    assert wanted in caught.value.detail
    assert DIGEST in caught.value.detail
    assert set() == left_over(downloads)


def test_the_first_checksum_holds_for_good(server: FileServer, downloads: Downloads) -> None:
    """A file that is fetched anew has to be what it was, until its checksum is forgotten on purpose."""
    url = f"{server.url}/image/disk.raw"
    fetched = downloads.fetch(url)
    fetched.path.unlink()
    server.files["/image/disk.raw"] = b"exchanged"

    with pytest.raises(OperatorNeeded, match="another checksum"):
        downloads.fetch(url)
    downloads.forget(fetched.path.relative_to(downloads.folder).as_posix())

    assert downloads.fetch(url).path.read_bytes() == b"exchanged"


def test_checksums_are_a_file_that_sha256sum_reads(server: FileServer, downloads: Downloads) -> None:
    server.files["/image/a"] = b"a"
    for name in ("disk.raw", "a"):
        downloads.fetch(f"{server.url}/image/{name}")
    host = server.url.removeprefix("http://").replace(":", "%3A")
    expected = f"{hashlib.sha256(b'a').hexdigest()}  {host}/image/a\n{DIGEST}  {host}/image/disk.raw\n"
    assert expected == (downloads.folder / "checksums.sha256").read_text()


def test_a_file_damaged_on_the_disk_is_fetched_anew(server: FileServer, downloads: Downloads) -> None:
    url = f"{server.url}/image/disk.raw"
    downloads.fetch(url).path.write_bytes(b"rot")
    assert downloads.fetch(url).path.read_bytes() == CONTENT


@pytest.mark.parametrize("ending", [".xz", ".gz", ".zst"])
def test_a_compressed_file_is_unpacked_beside_itself(server: FileServer, downloads: Downloads, ending: str) -> None:
    """With long runs of zeros, as disk images have them, at the end as well."""
    plain = CONTENT + bytes(300_000) + b"x" + bytes(200_000)
    plain += bytes(3 * 65_536 - len(plain) % 65_536)
    server.files[f"/image/disk.raw{ending}"] = _packed(plain, ending)

    fetched = downloads.unpacked(f"{server.url}/image/disk.raw{ending}")

    assert plain == fetched.path.read_bytes()
    assert hashlib.sha256(server.files[f"/image/disk.raw{ending}"]).hexdigest() == fetched.sha256
    assert {"disk.raw", f"disk.raw{ending}"} == left_over(downloads)


def test_two_frames_of_zstd_are_one_file(server: FileServer, downloads: Downloads) -> None:
    server.files["/a.zst"] = _packed(CONTENT, ".zst") + _packed(b"tail", ".zst")
    assert downloads.unpacked(f"{server.url}/a.zst").path.read_bytes() == CONTENT + b"tail"


@pytest.mark.parametrize("ending", [".xz", ".gz", ".zst"])
@pytest.mark.parametrize("damage", ["truncated", "garbled"])
def test_a_damaged_archive_is_not_kept(server: FileServer, downloads: Downloads, ending: str, damage: str) -> None:
    """It is not believed the next time either: the file is fetched anew."""
    whole = _packed(CONTENT, ending)
    broken = whole[:-20] if damage == "truncated" else whole[:200] + b"\xff" * 40 + whole[240:]
    server.files[f"/disk.raw{ending}"] = broken
    with pytest.raises(Retry, match="cannot be unpacked"):
        downloads.unpacked(f"{server.url}/disk.raw{ending}")
    assert set() == left_over(downloads)
    server.files[f"/disk.raw{ending}"] = whole

    assert downloads.unpacked(f"{server.url}/disk.raw{ending}").path.read_bytes() == CONTENT


def test_an_archive_of_files_stays_as_it_is(server: FileServer, downloads: Downloads) -> None:
    server.files["/gcp-amd64.raw.tar.gz"] = gzip.compress(b"a tar")
    fetched = downloads.unpacked(f"{server.url}/gcp-amd64.raw.tar.gz")
    assert fetched.path.name == "gcp-amd64.raw.tar.gz"


def test_progress_is_told_while_it_lasts(server: FileServer, downloads: Downloads) -> None:
    """The server sends its second half only after the first was told of."""
    half = threading.Event()
    server.faults.append(Hold(500_000, half))

    def tell(done: int, total: int) -> None:
        assert total == len(CONTENT)
        if done >= 500_000:
            half.set()

    assert downloads.fetch(f"{server.url}/image/disk.raw", tell=tell).path.read_bytes() == CONTENT


def test_progress_goes_on_where_it_was_cut_off(server: FileServer, downloads: Downloads) -> None:
    server.faults.append(Cut(300_000))
    told: list[tuple[int, int]] = []
    downloads.fetch(f"{server.url}/image/disk.raw", tell=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {len(CONTENT)}
    assert told == sorted(told)
    assert (300_000, len(CONTENT)) in told
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_what_the_listener_raises_ends_the_transfer(server: FileServer, downloads: Downloads) -> None:
    """That is how a run which is being stopped gets out of a long download."""

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        downloads.fetch(f"{server.url}/image/disk.raw", tell=stop)
    assert not downloads.place(f"{server.url}/image/disk.raw").exists()


def test_a_folder_may_be_the_source(tmp_path: Path, downloads: Downloads) -> None:
    """A mirror on the disk has a `file:` URL."""
    source = tmp_path / "mirror dir" / "disk.raw.gz"
    source.parent.mkdir()
    source.write_bytes(gzip.compress(CONTENT))

    assert downloads.unpacked(source.as_uri()).path.read_bytes() == CONTENT
    with pytest.raises(Fatal, match="cannot be read"):
        downloads.fetch((tmp_path / "missing").as_uri())


def test_what_may_be_secret_in_an_address_shows_nowhere(server: FileServer, downloads: Downloads) -> None:
    """Neither in a path nor in an error: user, password and query."""
    server.files["/image/a"] = b"a"
    host = server.url.removeprefix("http://")
    fetched = downloads.fetch(f"http://ada:hunter2@{host}/image/a?token=hunter2")
    with pytest.raises(Fatal) as caught:
        downloads.fetch(f"http://ada:hunter2@{host}/image/b?token=hunter2")

    assert "hunter2" not in str(fetched.path) + caught.value.detail


def test_two_at_the_same_time_fetch_once(server: FileServer, downloads: Downloads) -> None:
    """The second waits until the first is through."""
    begun, half = threading.Event(), threading.Event()
    server.faults.append(Hold(500_000, half))
    url = f"{server.url}/image/disk.raw"
    first = threading.Thread(target=lambda: downloads.fetch(url, tell=lambda done, total: begun.set()))
    first.start()
    begun.wait(20)
    second = threading.Thread(target=lambda: downloads.fetch(url))
    second.start()
    half.set()
    first.join()
    second.join()

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"PROV_CACHE": "/var/cache/prov", "HOME": "/home/ada"}, "/var/cache/prov"),
        ({"XDG_CACHE_HOME": "/fast", "HOME": "/home/ada"}, "/fast/prov"),
        ({"HOME": "/home/ada"}, "/home/ada/.cache/prov"),
    ],
)
def test_where_downloads_are_kept(environ: dict[str, str], folder: str) -> None:
    assert Path(folder) == cache_folder(environ)


@pytest.mark.parametrize("url", ["ftp://example.org/a", "https://example.org/", "disk.raw", "https:///a"])
def test_what_is_no_address_is_refused(downloads: Downloads, url: str) -> None:
    with pytest.raises(Fatal, match="no address of a file"):
        downloads.fetch(url)


def test_an_address_never_leads_out_of_the_folder(downloads: Downloads) -> None:
    place = downloads.place("https://example.org/%2e%2e/%2e%2e/%2fetc/passwd")
    assert downloads.folder / "example.org/etc/passwd" == place


def _packed(plain: bytes, ending: str) -> bytes:
    match ending:
        case ".xz":
            return lzma.compress(plain)
        case ".gz":
            return gzip.compress(plain)
        case _:
            return zstandard.ZstdCompressor(write_checksum=True).compress(plain)
