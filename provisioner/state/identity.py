"""Where the age identity comes from.

In this order: the text in PROV_AGE_KEY, the files named by PROV_AGE_KEY_FILE and SOPS_AGE_KEY_FILE, else the
user's own file, which a person's first use makes (0600, outside the project). It is never made by itself in
CI or without a terminal: a key that nobody knows of is a state that nobody can open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from provisioner.errors import KeyMissing
from provisioner.state.sealed import Identity, new_identity


def default_file(environ: Mapping[str, str]) -> Path:
    """The user's own identity file."""
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or "~", ".config")
    return Path(base).expanduser() / "prov" / "age.key"


def find_identity(environ: Mapping[str, str]) -> Identity | None:
    """The identity that is configured, or the user's own; raises KeyMissing when a named file is not there."""
    if text := environ.get("PROV_AGE_KEY"):
        return Identity(text, "PROV_AGE_KEY")
    for name in ("PROV_AGE_KEY_FILE", "SOPS_AGE_KEY_FILE"):
        if named := environ.get(name):
            return _read(Path(named), f"{named} ({name})")
    own = default_file(environ)
    return _read(own, str(own)) if own.exists() else None


def create_identity(target: Path) -> Identity:
    """A new identity in `target`, readable by its owner only; raises KeyMissing where a file is in the way."""
    identity = Identity(new_identity(), str(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyMissing(
            "there is a key file already",
            detail=str(target),
            remedy="use it, or name another file",
        ) from None
    except OSError as err:
        raise KeyMissing(
            "the age identity cannot be written",
            detail=f"{target}: {err.strerror}",
            remedy="name a file where you may write, with --out",
        ) from None
    with os.fdopen(handle, "w") as out:
        out.write(f"# prov's age identity, public key {identity.recipient()}\n{identity.text}\n")
        out.flush()
        os.fsync(out.fileno())
    return identity


def identity_to_open(environ: Mapping[str, str]) -> Callable[[], Identity]:
    """A function that finds the identity when a state is to be opened; none is made, for a new one opens nothing."""

    def find() -> Identity:
        identity = find_identity(environ)
        if identity is None:
            raise KeyMissing(
                "there is no age identity to open the state's secrets with",
                detail="the state is sealed, and this cannot be done without what is in it",
                remedy="set PROV_AGE_KEY or PROV_AGE_KEY_FILE to an identity it is sealed for",
            )
        return identity

    return find


def identity_source(
    environ: Mapping[str, str], *, person: bool, tell: Callable[[str], None]
) -> Callable[[], Identity]:
    """A function that finds the identity when first needed, or makes the user's own if a person is there."""

    def find() -> Identity:
        identity = find_identity(environ)
        if identity is not None:
            return identity
        if person and not environ.get("CI"):
            own = default_file(environ)
            identity = create_identity(own)
            tell(f"made an age identity for sealing secrets: {own}; back it up, for nothing else opens the state")
            return identity
        raise KeyMissing(
            "there is no age identity to seal secrets with",
            detail="the state holds the cluster's keys, so they are sealed; without a terminal no key is made",
            remedy="run `prov keys create`, or set PROV_AGE_KEY or PROV_AGE_KEY_FILE",
        )

    return find


def _read(path: Path, source: str) -> Identity:
    try:
        return Identity(path.read_text(), source)
    except (OSError, UnicodeDecodeError) as err:
        raise KeyMissing(
            "the age identity cannot be read",
            detail=f"{source}: {err.strerror if isinstance(err, OSError) else 'it is no text'}",
            remedy="check the path and its rights",
        ) from None
