"""The first thing `prov` runs: light, so that the version comes at once and Ctrl-C never shows a traceback."""

from __future__ import annotations

import gc
import sys

from provisioner import __version__


def main() -> None:
    """The console script."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"prov {__version__}\n")
        return
    # What is made lives until the end, by and large: looking for garbage as often as Python does by default takes
    # a third of the time of a large plan.
    gc.set_threshold(200_000, 50, 100)
    try:
        from provisioner.cli.main import main as run  # takes a tenth of a second to load

        run()
    except KeyboardInterrupt:
        sys.exit(130)
