"""A file fetched over HTTP, going on where an earlier attempt was cut off."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urlsplit

from provisioner.errors import EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry

if TYPE_CHECKING:
    import httpx

Tell: TypeAlias = Callable[[int, int], None]
"""Is told the bytes that are there and those there will be, 0 while unknown. What it raises ends the transfer."""

_FUTILE = 5
"""How many attempts in a row may bring nothing new."""
_CONNECT_S = 10.0
_READ_S = 600.0
"""How long nothing may come: the Image Factory builds an image before it sends the first byte."""


def transfer(url: str, part: Path, *, tell: Tell, pause: Callable[[float], None] = time.sleep) -> None:
    """Fetches `url` into `part`, which may hold what an earlier transfer left.

    Beside `part` stands a file that says which version of the remote file its bytes are of; they are kept only
    where the server confirms that version. Raises ProviderError: Retry where another try may help.
    """
    if urlsplit(url).scheme == "file":
        _copy(url, part)
        return
    import httpx  # heavy, and most runs download nothing

    reached, futile = 0, 0
    with httpx.Client(
        timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
        follow_redirects=True,
        headers={"Accept-Encoding": "identity", "User-Agent": "prov"},
    ) as client:
        while True:
            try:
                _attempt(client, url, part, tell)
                return
            except Retry:
                size = _size(part)
                futile = 0 if size > reached else futile + 1
                reached = max(reached, size)
                if futile >= _FUTILE:
                    raise
                pause(min(2.0**futile, 30.0))


def shown(url: str) -> str:
    """The URL without what may be secret in it: user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _attempt(client: httpx.Client, url: str, part: Path, tell: Tell) -> None:
    import httpx

    mark = part.with_name(f"{part.name}.version")
    try:
        with client.stream("GET", url, headers=_range(part, mark)) as answer:
            _check(answer, url)
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)
                raise _cut_off(url, "the part that is here is not a part of it")
            _keep(answer, part, mark, tell)
    except (httpx.ConnectError, httpx.ConnectTimeout) as err:
        raise EndpointDown(
            "a server does not answer",
            detail=f"{shown(url)}: {_said(err)}",
            remedy="check the network, and proxies in the environment; what has arrived so far is kept",
        ) from None
    except httpx.TransportError as err:
        raise _cut_off(url, _said(err)) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as err:
        raise Fatal(
            "this cannot be downloaded",
            detail=f"{shown(url)}: {_said(err)}",
            remedy="correct the address",
            effect=False,
        ) from None
    mark.unlink(missing_ok=True)


def _keep(answer: httpx.Response, part: Path, mark: Path, tell: Tell) -> None:
    """Writes the answer's bytes behind those that are there, or anew where the server sends all of them."""
    goes_on = answer.status_code == 206
    have = _size(part) if goes_on else 0
    total = have + int(answer.headers.get("content-length", 0)) if "content-length" in answer.headers else 0
    with part.open("ab" if goes_on else "wb") as out:
        mark.write_text(json.dumps(_version(answer)))
        tell(have, total)
        for piece in answer.iter_raw():
            out.write(piece)
            have += len(piece)
            tell(have, total)


def _range(part: Path, mark: Path) -> dict[str, str]:
    """The headers that ask for the rest of a file, if that is still the same one."""
    try:
        version = json.loads(mark.read_text())
    except (OSError, ValueError):
        return {}
    return {"Range": f"bytes={_size(part)}-", "If-Range": version} if version and _size(part) else {}


def _version(answer: httpx.Response) -> str:
    """What tells one version of the remote file from another; empty where nothing dependable does."""
    etag = answer.headers.get("etag", "")
    if etag and not etag.startswith("W/"):
        return str(etag)
    return str(answer.headers.get("last-modified", ""))


def _check(answer: httpx.Response, url: str) -> None:
    status = answer.status_code
    detail = f"{shown(url)}: the server answered {status}"
    if status in (200, 206, 416):
        return
    if status in (408, 429) or status >= 500:
        raise Retry(
            "a server cannot serve a download now",
            detail=detail,
            remedy="try again later; what has arrived so far is kept",
            after_s=_seconds(answer.headers.get("retry-after", "")),
        )
    if status in (401, 402, 403, 407):
        raise OperatorNeeded(
            "a server refuses a download", detail=detail, remedy="check what it takes to be let in there"
        )
    raise Fatal(
        "there is no such file to download",
        detail=detail,
        remedy="check the release and the address",
        effect=False,
    )


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 30.0


def _copy(url: str, part: Path) -> None:
    path = Path(unquote(urlsplit(url).path))
    try:
        shutil.copyfile(path, part)
    except OSError as err:
        raise Fatal(
            "a file cannot be read",
            detail=f"{path}: {err.strerror}",
            remedy="check the address of the mirror",
            effect=False,
        ) from None


def _cut_off(url: str, why: str) -> ProviderError:
    return Retry(
        "a download was cut off",
        detail=f"{shown(url)}: {why}",
        remedy="run the same command again; it goes on where this one ended",
        after_s=5.0,
    )


def _said(err: Exception) -> str:
    """What the HTTP library says about a connection; it quotes no content."""
    text = str(err).splitlines()
    return text[0] if text and text[0] else type(err).__name__


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0
