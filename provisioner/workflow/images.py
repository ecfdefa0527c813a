"""Boot images: what a cluster needs, and having it on this machine or in a folder."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from attrs import frozen

from provisioner.cluster.topology import image_of, topology_of
from provisioner.errors import Fatal, ProvError, Retry
from provisioner.model.topology import TalosWish
from provisioner.sdk import Downloads, Fetched, cache_folder
from provisioner.sdk.checksums import NAME, pin, pinned
from provisioner.sdk.transfer import Tell
from provisioner.spec.schema import ClusterSpec, TalosSpec
from provisioner.talos.images.artifacts import Artifact, artifact_url, image_path
from provisioner.talos.images.canonical import NotPlain, canonical
from provisioner.talos.images.factory import Extension, Factory, check_available
from provisioner.talos.images.published import RELEASES, CloudImage, published, published_url
from provisioner.talos.kinds.schematic import register
from provisioner.workflow.open import World


@frozen
class Cached:
    """A file of the download cache. `used` is when it was last asked for."""

    path: Path
    size: int
    used: datetime
    sha256: str


def cache(world: World) -> Downloads:
    """Where images are kept."""
    return Downloads(cache_folder(world.environ))


def talos_of(spec: ClusterSpec) -> TalosSpec:
    """What the file says under `talos:`; raises ProvError for a file without a cluster."""
    if spec.talos is None:
        raise ProvError(
            "the file describes no cluster",
            detail="it has resources and outputs only, which boot from no image",
            remedy="add `talos:`, `providers:` and `pools:`",
        )
    return spec.talos


def wish(spec: ClusterSpec) -> TalosWish:
    """The release and the image that the file asks for; raises InputError where its schematic has no id here."""
    talos_of(spec)
    topology, _ = topology_of(spec, {})
    assert topology is not None, "a file with `talos:` has a topology"
    return topology.talos


def text_of(spec: ClusterSpec) -> str:
    """The schematic's canonical text; empty where only the factory can tell it."""
    talos = talos_of(spec)
    try:
        return canonical(image_of(talos).tree)
    except NotPlain:
        return ""


def registered(spec: ClusterSpec) -> str:
    """Tells the factory what the file customises, and returns the id it has there."""
    talos = talos_of(spec)
    return Factory(talos.factory).register(image_of(talos).recipe)


def check(spec: ClusterSpec) -> None:
    """Raises ProviderError where the factory cannot make what the file asks for."""
    talos = talos_of(spec)
    overlay = talos.schematic.overlay
    version = f"v{talos.version.removeprefix('v')}"
    check_available(Factory(talos.factory), version, talos.extensions, overlay.name if overlay else "")


def made(talos: TalosWish, artifact: Artifact, pause: Callable[[float], None] = time.sleep) -> int:
    """Has the factory make an artifact, if it has not yet, and tells its size in bytes.

    A factory behind a proxy may be cut off while it is at work, and goes on all the same; so it is asked again.
    """
    _told(talos, artifact)
    factory, path = Factory(talos.factory), image_path(talos, artifact)
    for _ in range(_PATIENCE):
        try:
            return factory.size(path)
        except Retry as err:
            pause(err.after_s)
    return factory.size(path)


_PATIENCE = 10


def fetch(downloads: Downloads, talos: TalosWish, artifact: Artifact, tell: Tell) -> Fetched:
    """An artifact as the factory serves it."""
    return downloads.fetch(_told(talos, artifact), sha256=_expected(talos, artifact), tell=tell)


def fetch_unpacked(downloads: Downloads, talos: TalosWish, artifact: Artifact, tell: Tell) -> Fetched:
    """An artifact, decompressed."""
    return downloads.unpacked(_told(talos, artifact), sha256=_expected(talos, artifact), tell=tell)


def cached(downloads: Downloads) -> tuple[Cached, ...]:
    """The files of the cache by path, unfinished ones among them."""
    digests = pinned(downloads.folder)
    files = sorted(path for path in downloads.folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return tuple(_cached(path, downloads.folder, digests) for path in files if path.name != NAME)


def prune(downloads: Downloads, files: Iterable[Cached], *, forget: bool) -> None:
    """Removes files; with `forget` also what is known of their checksums."""
    for file in files:
        file.path.unlink(missing_ok=True)
        if forget:
            downloads.forget(file.path.relative_to(downloads.folder).as_posix())


def unused(files: Iterable[Cached], now: datetime, days: float) -> tuple[Cached, ...]:
    """Those that nobody has asked for in so many days."""
    return tuple(file for file in files if now - file.used >= timedelta(days=days))


def mirror(downloads: Downloads, talos: TalosWish, artifacts: Sequence[Artifact], folder: Path, tell: Tell) -> None:
    """Copies artifacts into a folder that is laid out like the factory, and can be used in its place.

    What is in the folder already stays, so that it can hold several releases and schematics.
    """
    factory, version = Factory(talos.factory), f"v{talos.version.removeprefix('v')}"
    for artifact in artifacts:
        fetched = fetch(downloads, talos, artifact, tell)
        place = f"image/{image_path(talos, artifact)}"
        _copy(fetched.path, folder / place)
        pin(folder, place, fetched.sha256)
    text = factory.schematic(talos.schematic)
    if text is None:
        raise Fatal(
            "the image factory does not know this schematic",
            detail=talos.schematic,
            remedy="tell it with `prov images register`",
            effect=False,
        )
    _write(folder / "schematics" / talos.schematic, text)
    _write(folder / "versions", json.dumps(sorted({*_versions(folder), version})))
    for what, listed in (("extensions", factory.extensions(version)), ("overlays", factory.overlays(version))):
        _write(folder / "version" / version / what / "official", json.dumps(list(map(_listed, listed))))


def published_images(downloads: Downloads, version: str, releases: str = RELEASES) -> tuple[CloudImage, ...]:
    """What is published in clouds for a release; `releases` is where releases have their files."""
    fetched = downloads.fetch(published_url(version, releases))
    return published(fetched.path.read_text())


def _told(talos: TalosWish, artifact: Artifact) -> str:
    """The URL of an artifact, once the factory knows what it is made of."""
    url = artifact_url(talos, artifact.platform, artifact.arch, artifact.form)
    if not talos.stock:
        register(Factory(talos.factory), talos.schematic, talos.recipe)
    return url


def _expected(talos: TalosWish, artifact: Artifact) -> str:
    """The checksum that a folder was filled with; empty where there is no folder, or it has none."""
    if not talos.factory.startswith("file:"):
        return ""
    folder = Path(unquote(urlsplit(talos.factory).path))
    return pinned(folder).get(f"image/{image_path(talos, artifact)}", "")


def _cached(path: Path, folder: Path, digests: dict[str, str]) -> Cached:
    found = path.stat()
    used = datetime.fromtimestamp(max(found.st_atime, found.st_mtime), UTC)
    return Cached(path, found.st_size, used, digests.get(path.relative_to(folder).as_posix(), ""))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, draft)
    draft.replace(target)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.new")
    draft.write_text(text)
    draft.replace(target)


def _versions(folder: Path) -> tuple[str, ...]:
    try:
        return Factory(folder.absolute().as_uri()).versions()
    except Fatal:
        return ()


def _listed(item: Extension) -> dict[str, str]:
    return {"name": item.name, "ref": item.ref, "description": item.description}
