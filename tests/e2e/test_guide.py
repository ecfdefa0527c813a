"""What README and guides show is what happens: their sessions are run in a copy of the example's folder.

How a session is written and compared stands in `fakes.session`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from fakes.example import copy_of
from fakes.lab import PROV, Lab
from fakes.session import Session, commands, differs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TEMPLATE = ROOT / "examples" / "provider-template"
DOCUMENTS = {
    "README.md": "first-cluster",
    "docs/guides/first-cluster.md": "first-cluster",
    "docs/guides/machine-settings.md": "static-network",
}
"""Each with the example that its session is about."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_session_does_what_the_document_shows(lab: Lab, name: str) -> None:
    """Every command ends as shown and says what is shown, in a fresh copy of the example."""
    _follow(name, _session(lab, EXAMPLES / DOCUMENTS[name]))


@pytest.mark.timeout(900)
def test_the_guide_for_providers_does_what_it_shows(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same in a copy of the template, which is installed as `pip install -e` would."""
    _follow("docs/guides/writing-a-provider.md", _provider_session(lab, tmp_path_factory.mktemp("installed")))


def _follow(name: str, session: Session) -> None:
    for command in commands((ROOT / name).read_text()):
        said = session.run(command.text)

        where = f"{name}:{command.line}: $ {command.text}\n"
        assert command.code == session.code, f"{where}{said}"
        missing = differs(command.shown, said)
        assert missing == "", f"{where}is not as shown: {missing}\n---\n{said}"


def _provider_session(lab: Lab, installed: Path) -> Session:
    """A shell in a copy of the template: its sources and the metadata of its distribution are on Python's path."""
    copy_of(TEMPLATE, lab.folder)
    build = [sys.executable, "-m", "build", "--quiet", "--wheel", "--no-isolation", "--outdir", str(installed)]
    subprocess.run([*build, str(lab.folder)], check=True, capture_output=True)
    with ZipFile(next(installed.glob("*.whl"))) as wheel:
        wheel.extractall(installed, [name for name in wheel.namelist() if ".dist-info/" in name])
    environ = {name: text for name, text in lab.environ.items() if name != "PROV_AGE_KEY_FILE"}
    environ |= {"PATH": f"{PROV.parent}:{environ['PATH']}", "PYTHONPATH": f"{lab.folder / 'src'}:{installed}"}
    return Session(lab.folder, environ)


def _session(lab: Lab, example: Path) -> Session:
    """A shell in a copy of the example, with an empty home and `prov` on the path."""
    copy_of(example, lab.folder)
    environ = {name: text for name, text in lab.environ.items() if name != "PROV_AGE_KEY_FILE"}
    return Session(lab.folder, {**environ, "PATH": f"{PROV.parent}:{environ['PATH']}"})
