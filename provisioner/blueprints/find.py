"""Where the shipped plans are: inside the wheel, or in the checkout's `plans/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from provisioner.errors import ProvError, did_you_mean

_PACKAGED = Path(__file__).parent / "shipped"
_CHECKOUT = Path(__file__).parents[2] / "plans"


def shipped() -> Mapping[str, Path]:
    """The folders of the shipped plans by name; each has a `cluster.yaml` that begins with what it is for."""
    root = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    return {file.parent.name: file.parent for file in sorted(root.glob("*/cluster.yaml"))}


def summary(folder: Path) -> str:
    """What a plan is for: the comment its file begins with."""
    first = (folder / "cluster.yaml").read_text().partition("\n")[0]
    return first.removeprefix("#").strip()


def copy(name: str, target: Path) -> Path:
    """Copies a plan's cluster file into a folder; raises ProvError for an unknown name or a file in the way."""
    known = shipped()
    if name not in known:
        raise ProvError(
            "there is no such plan",
            detail=f"{name!r}; shipped are {', '.join(known)}",
            remedy=did_you_mean(name, known),
        )
    file = target / "cluster.yaml"
    try:
        target.mkdir(parents=True, exist_ok=True)
        with file.open("x") as out:
            out.write((known[name] / "cluster.yaml").read_text())
    except FileExistsError:
        raise ProvError(
            "there is a cluster file already",
            detail=str(file),
            remedy="name another folder: prov init NAME --into FOLDER",
        ) from None
    except OSError as err:
        raise ProvError(
            "a file cannot be written", detail=f"{file}: {err.strerror}", remedy="name a place where you may write"
        ) from None
    return file
