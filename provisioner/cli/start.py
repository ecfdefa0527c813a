"""The first thing `prov` runs: light, so that the version comes at once and Ctrl-C never shows a traceback."""

from __future__ import annotations

import sys

from provisioner import __version__


def main() -> None:
    """The console script."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"prov {__version__}\n")
        return
    try:
        from provisioner.cli.main import main as run  # takes a tenth of a second to load

        run()
    except KeyboardInterrupt:
        sys.exit(130)
