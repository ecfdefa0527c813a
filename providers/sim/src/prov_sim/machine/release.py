"""In what Talos releases differ, as far as a simulated machine shows it."""

from __future__ import annotations

import functools
import re
from typing import Final

from attrs import frozen

_DEFAULT_KUBERNETES: Final = {11: "v1.34.1", 12: "v1.35.4", 13: "v1.36.3", 14: "v1.37.0"}
SIMULATED: Final = tuple(f"v1.{minor}" for minor in _DEFAULT_KUBERNETES)
_MINOR: Final = re.compile(r"^v?1\.(\d+)(?:\.|\Z)")


@frozen
class Release:
    """Talos 1.`minor`."""

    minor: int

    @classmethod
    def of(cls, image: str) -> Release:
        """The release of an image such as `v1.13.9`; raises ValueError for one that is not simulated."""
        return _release(image)

    def __str__(self) -> str:
        return f"v1.{self.minor}"

    @property
    def reboots_by_itself(self) -> bool:
        """Whether a configuration that needs a reboot is followed by one; until 1.13."""
        return self.minor < 14

    @property
    def whole_api_in_maintenance(self) -> bool:
        """Whether a machine in maintenance answers everything a reader may ask; from 1.13."""
        return self.minor >= 13

    @property
    def needs_install_section(self) -> bool:
        """Whether a configuration for metal has to say where to install; until 1.13."""
        return self.minor < 14

    @property
    def kubernetes_minors(self) -> range:
        """The minor releases of Kubernetes whose images are accepted."""
        return range(self.minor + 18, self.minor + 24)

    @property
    def default_kubernetes(self) -> str:
        """What runs where the configuration names no image."""
        return _DEFAULT_KUBERNETES[self.minor]


@functools.cache
def _release(image: str) -> Release:
    match = _MINOR.match(image)
    if match is None or int(match[1]) not in _DEFAULT_KUBERNETES:
        raise ValueError(f"simulated machines boot Talos {', '.join(SIMULATED)}, not {image}")
    return Release(int(match[1]))
