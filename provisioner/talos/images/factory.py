"""The Image Factory, asked over HTTP, or a folder that is laid out like it.

    schematics/ID                        a schematic
    versions                             the releases there are
    version/VERSION/extensions/official  the extensions there are for a release
    image/ID/VERSION/ARTIFACT            what machines boot from

Source: siderolabs/image-factory v1.5.0, `docs/api.md` and `pkg/client`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from provisioner.sdk import EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry, did_you_mean

if TYPE_CHECKING:
    import httpx

_READ_S = 60.0


@frozen
class Extension:
    """An extension or overlay as the factory lists it. `ref` is its image, with the version."""

    name: str
    ref: str = ""
    description: str = ""


@frozen
class Factory:
    """An Image Factory at a URL. All methods raise ProviderError: Retry where another try may help."""

    url: str
    transport: httpx.BaseTransport | None = field(default=None, eq=False, repr=False)

    @property
    def is_folder(self) -> bool:
        return self.url.startswith("file:")

    def register(self, recipe: str) -> str:
        """Tells the factory a schematic, YAML or JSON; the id it has there. Repeating changes nothing."""
        if self.is_folder:
            raise OperatorNeeded(
                "a folder takes no schematics",
                detail=f"{self.url} is a copy of a factory, and cannot make images",
                remedy="make the schematic's images where a factory can be reached, with `prov images mirror`",
            )
        answer = self._ask("POST", "/schematics", body=recipe)
        found = _json(answer, self.url)
        if not isinstance(found, dict) or not isinstance(found.get("id"), str):
            raise _strange(self.url, "it names no id for a schematic")
        return str(found["id"])

    def schematic(self, schematic_id: str) -> str | None:
        """The canonical text of a schematic; None where the factory does not know it, or shows another text."""
        try:
            text = self._ask("GET", f"/schematics/{schematic_id}")
        except Fatal:
            return None
        return text if hashlib.sha256(text.encode()).hexdigest() == schematic_id else None

    def versions(self) -> tuple[str, ...]:
        """The releases that images can be made of, as `v1.13.9`, in the factory's order."""
        found = _json(self._ask("GET", "/versions"), self.url)
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise _strange(self.url, "its list of releases is none")
        return tuple(found)

    def extensions(self, version: str) -> tuple[Extension, ...]:
        """The official extensions for a release."""
        return self._listed(f"/version/{version}/extensions/official")

    def overlays(self, version: str) -> tuple[Extension, ...]:
        """The official overlays for a release."""
        return self._listed(f"/version/{version}/overlays/official")

    def size(self, path: str) -> int:
        """Has an artifact made, such as `ID/v1.13.9/metal-amd64.iso`, and tells its size in bytes.

        The first question about one lasts minutes, for it is made then.
        """
        if self.is_folder:
            return len(self._read(f"/image/{path}"))
        import httpx

        headers = self._send("HEAD", f"/image/{path}", "", httpx.Timeout(600.0, connect=10.0)).headers
        return int(headers.get("content-length", 0))

    def _listed(self, path: str) -> tuple[Extension, ...]:
        found = _json(self._ask("GET", path), self.url)
        if not isinstance(found, list):
            raise _strange(self.url, "it lists nothing where it should")
        items = (item for item in found if isinstance(item, dict) and isinstance(item.get("name"), str))
        return tuple(Extension(item["name"], _text(item, "ref"), _text(item, "description")) for item in items)

    def _ask(self, method: str, path: str, body: str = "") -> str:
        if self.is_folder:
            return self._read(path).decode(errors="replace")
        import httpx

        return self._send(method, path, body, httpx.Timeout(_READ_S, connect=10.0)).text

    def _send(self, method: str, path: str, body: str, timeout: httpx.Timeout) -> httpx.Response:
        import httpx  # heavy, and most runs ask no factory

        headers = {"User-Agent": "prov"} | ({"Content-Type": "application/yaml"} if body else {})
        try:
            with httpx.Client(timeout=timeout, follow_redirects=True, transport=self.transport) as client:
                answer = client.request(method, self.url + path, content=body or None, headers=headers)
        except httpx.ConnectError as err:
            raise _silent(self.url, err) from None
        except httpx.TransportError as err:
            raise Retry(
                "the image factory's answer was cut off",
                detail=f"{self.url}: {_first_line(err)}",
                remedy="try again",
                after_s=5.0,
            ) from None
        _check(answer, self.url + path)
        return answer

    def _read(self, path: str) -> bytes:
        file = Path(unquote(urlsplit(self.url).path) + path)
        try:
            return file.read_bytes()
        except OSError as err:
            raise Fatal(
                "the folder of images lacks something",
                detail=f"{file}: {err.strerror}",
                remedy="fill it with `prov images mirror` where a factory can be reached",
                effect=False,
            ) from None


def check_available(factory: Factory, version: str, extensions: Sequence[str], overlay: str = "") -> None:
    """Raises Fatal where images of this release, or with these extensions or overlay, cannot be made."""
    _among(version, factory.versions(), "this factory does not make images of this release", "release")
    if extensions:
        known = [each.name for each in factory.extensions(version)]
        for name in extensions:
            _among(name, known, "there is no such official extension for this release", "extension")
    if overlay:
        known = [each.name for each in factory.overlays(version)]
        _among(overlay, known, "there is no such official overlay for this release", "overlay")


def _among(name: str, known: Sequence[str], summary: str, what: str) -> None:
    if name not in known:
        raise Fatal(summary, detail=f"the {what} {name!r}", remedy=did_you_mean(name, known), effect=False)


def _check(answer: httpx.Response, url: str) -> None:
    status = answer.status_code
    if status < 400:
        return
    said = f"{url}: {status}; {_first_line(answer.text)}"
    if status in (408, 429, 502, 503, 504):
        raise Retry("the image factory is busy", detail=said, remedy="try again later", after_s=30.0)
    if status == 402:
        raise OperatorNeeded(
            "the image factory sells this and does not give it away",
            detail=said,
            remedy="use a factory of the enterprise edition, or do without: prov computes checksums itself",
        )
    if status in (401, 403, 407):
        raise OperatorNeeded(
            "the image factory refuses to answer", detail=said, remedy="check what it takes to be let in there"
        )
    if status >= 500:
        raise Retry(
            "the image factory has failed",
            detail=said,
            remedy="try again; if it stays so, the release or the schematic may be one it cannot make",
            after_s=30.0,
        )
    if status == 404:
        raise Fatal(
            "the image factory does not know this",
            detail=said,
            remedy="check talos.version; `prov images register` tells the factory the file's schematic",
            effect=False,
        )
    raise Fatal(
        "the image factory refuses this",
        detail=said,
        remedy="correct what it names under `talos:`",
        effect=False,
    )


def _json(text: str, url: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise _strange(url, "its answer is no JSON") from None


def _strange(url: str, what: str) -> ProviderError:
    return Fatal(
        "this is no image factory",
        detail=f"{url}: {what}",
        remedy="check talos.factory, and proxies in the environment",
        effect=False,
    )


def _silent(url: str, err: Exception) -> ProviderError:
    return EndpointDown(
        "the image factory does not answer",
        detail=f"{url}: {_first_line(err)}",
        remedy="check the network and talos.factory; where there is no way to one, use a folder made by "
        "`prov images mirror`",
    )


def _first_line(said: object) -> str:
    """The first line of what a factory says; its errors are one line of plain text."""
    lines = str(said).strip().splitlines()
    return lines[0][:300] if lines else "nothing was said"


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""
