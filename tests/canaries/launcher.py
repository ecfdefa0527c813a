"""`prov` with every logger of the process at DEBUG, written to the file that CANARY_LOG names.

What libraries would tell a user who turned their logs on is thereby told, and can be searched.
"""

from __future__ import annotations

import logging
import os
import sys


def main() -> None:
    """Turns the logs on, then runs the command as if it had been called by its own name."""
    logging.basicConfig(level=logging.DEBUG, filename=os.environ.pop("CANARY_LOG"), force=True)
    from provisioner.cli.main import main as prov

    sys.argv[0] = "prov"
    prov()


if __name__ == "__main__":
    main()
