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
    public = talos.factory == PUBLIC_FACTORY
    if talos.stock and public and platform == "metal" and Contract.parse(version).publishes_installer:
        return f"ghcr.io/siderolabs/installer:{version}"
    signed = "-secureboot" if talos.secure_boot else ""
    return f"{_registry(talos.factory)}/{platform}-installer{signed}/{talos.schematic}:{version}"


def _registry(factory: str) -> str:
    """The host, with its port, under which a factory serves installers."""
    return factory.partition("://")[2].partition("/")[0]
