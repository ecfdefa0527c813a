"""Boot images on this machine: fetching those a cluster needs."""

from __future__ import annotations

from provisioner.model.topology import TalosWish
from provisioner.sdk import Downloads, Fetched, cache_folder
from provisioner.sdk.transfer import Tell
from provisioner.talos.images.artifacts import artifact_url
from provisioner.workflow.open import World


def cache(world: World) -> Downloads:
    """Where images are kept."""
    return Downloads(cache_folder(world.environ))


def fetch(downloads: Downloads, talos: TalosWish, platform: str, arch: str, form: str, tell: Tell) -> Fetched:
    """The image a cluster of this wish boots from, as the factory serves it; raises ProvError."""
    return downloads.fetch(artifact_url(talos, platform, arch, form), tell=tell)
