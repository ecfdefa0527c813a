"""The ports of a machine."""

from __future__ import annotations

from typing import Final

TALOS: Final = 50000
KUBERNETES: Final = 6443
