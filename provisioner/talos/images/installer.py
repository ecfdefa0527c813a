"""The installer image: what puts a release of Talos on a disk, and later another one in its place.

Until 1.13 the release itself comes with an installer, good for machines without a platform of their own. All
others are the Image Factory's: one per platform, for the platform's kernel arguments are baked in.
Source: siderolabs/image-factory v1.5.0, `docs/api.md`.
"""

from __future__ import annotations

from provisioner.sdk import PUBLIC_FACTORY, TalosWish
from provisioner.talos.versions import Contract


def installer_image(talos: TalosWish, platform: str) -> str:
    """The reference of the installer of this release, with these customisations, on this platform."""
    version = f"v{talos.version.removeprefix('v')}"
    public = talos.factory == PUBLIC_FACTORY and not talos.registry
    if talos.stock and public and platform == "metal" and Contract.parse(version).publishes_installer:
        return f"ghcr.io/siderolabs/installer:{version}"
    signed = "-secureboot" if talos.secure_boot else ""
    return f"{_registry(talos)}/{platform}-installer{signed}/{talos.schematic}:{version}"


def _registry(talos: TalosWish) -> str:
    """Where installers come from. A folder has none, so there it is the public factory, or what stands in for it."""
    factory = PUBLIC_FACTORY if talos.factory.startswith("file:") else talos.factory
    return talos.registry or factory.partition("://")[2]
