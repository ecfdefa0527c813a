"""What README and guides show is what happens: their sessions are run in a copy of the example's folder.

How a session is written and compared stands in `fakes.session`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes.lab import PROV, Lab
from fakes.session import Session, commands, differs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "first-cluster"
DOCUMENTS = ("README.md", "docs/guides/first-cluster.md")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_session_does_what_the_document_shows(lab: Lab, name: str) -> None:
    """Every command ends as shown and says what is shown, in a fresh copy of the example."""
    session = _session(lab)

    for command in commands((ROOT / name).read_text()):
        said = session.run(command.text)

        where = f"{name}:{command.line}: $ {command.text}\n"
        assert command.code == session.code, f"{where}{said}"
        missing = differs(command.shown, said)
        assert missing == "", f"{where}is not as shown: {missing}\n---\n{said}"


def _session(lab: Lab) -> Session:
    """A shell in a copy of the example, with an empty home and `prov` on the path."""
    shutil.copy(EXAMPLE / "cluster.yaml", lab.folder)
    shutil.copytree(EXAMPLE / "patches", lab.folder / "patches")
    environ = {name: text for name, text in lab.environ.items() if name != "PROV_AGE_KEY_FILE"}
    return Session(lab.folder, {**environ, "PATH": f"{PROV.parent}:{environ['PATH']}"})
