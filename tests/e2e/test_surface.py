"""What people and machines see: no secrets, no tracebacks, a live picture, errors one can act on."""

from __future__ import annotations

import base64
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.lab import PROV, Lab, cluster

from provisioner.model.value import Secret, leaves
from provisioner.state.identity import find_identity
from provisioner.state.sqlite_store import SqliteStore

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PLANTED = "planted-3f9a1c77-password"


def test_secrets_stay_where_they_belong(lab: Lab) -> None:
    """Neither the cluster's keys nor a planted password appear in output, state bytes, plan files or logs."""
    patch = {
        "apiVersion": "v1alpha1",
        "kind": "RegistryAuthConfig",
        "name": "registry.example.org",
        "username": "puller",
        "password": "${env.REGISTRY_PASSWORD}",
    }
    environ = {"REGISTRY_PASSWORD": PLANTED}
    lab.write(cluster(1, 1, patches=[patch], outputs={"password": "${env.REGISTRY_PASSWORD}"}))
    said = []
    for args, code in (
        (("validate", "--json"), 0),
        (("plan", "--out", "saved.plan"), 2),
        (("plan", "--json"), 2),
        (("apply", "--yes", "--json"), 0),
        (("plan", "--json"), 0),
        (("status", "--json"), 0),
        (("output", "--json"), 0),
        (("output",), 0),
        (("sim", "list", "--json"), 0),
    ):
        done = lab.prov(*args, code=code, **environ)
        said.append(done.stdout + done.stderr)
    secrets = _secrets(lab)
    lab.write(cluster(1, 1, patches=[{**patch, "username": "other"}]))
    said.append(lab.prov("plan", code=2, **environ).stdout)
    said.append(lab.prov("apply", "--yes", REGISTRY_PASSWORD="planted-8841-other").stdout)
    files = [path for path in lab.folder.rglob("*") if path.is_file() and not path.name.endswith("config")]
    said += [path.read_bytes().decode("latin-1") for path in files if path != lab.file]

    everything = "\n".join(said)

    assert len(secrets) >= 10
    for secret in {*secrets, PLANTED, "planted-8841-other"}:
        assert secret not in everything
        assert base64.b64encode(secret.encode()).decode() not in everything
    assert lab.prov("output", "password", **environ, code=1).stderr.startswith("error: there is no such output")


def test_a_terminal_gets_a_live_picture(lab: Lab) -> None:
    """On a terminal the run shows what is at work, and it ends with the node table."""
    lab.write(cluster(1, 0))
    ours, theirs = pty.openpty()
    environ = {**lab.environ, "TERM": "xterm-256color"}
    del environ["NO_COLOR"]
    run = subprocess.Popen([PROV, "apply"], cwd=lab.folder, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, b"y\n")

    shown = _until_closed(ours)

    assert run.wait(timeout=300) == 0, shown
    assert "Do this?" in shown
    assert "creating talos.secrets/cluster" in shown
    assert "healthy" in shown


def test_without_a_terminal_nobody_is_asked(lab: Lab) -> None:
    """Where nobody can say yes, apply says what to do instead and touches nothing."""
    lab.write(cluster(1, 0))

    done = lab.prov("apply", code=1)

    assert "nobody is there to say yes" in done.stderr
    assert "--yes" in done.stderr
    assert lab.sim()["machines"] == []


def test_a_lost_key_is_told_with_its_remedy(lab: Lab) -> None:
    """Without an identity nothing is begun."""
    lab.write(cluster(1, 0))

    done = lab.prov("apply", "--yes", code=1, PROV_AGE_KEY_FILE="")

    assert "there is no age identity" in done.stderr
    assert "prov keys create" in done.stderr
    assert lab.sim()["machines"] == []


def test_a_failing_call_fails_its_branch_only(lab: Lab) -> None:
    """One machine is refused: its node is skipped, the others are made, and the next run goes on."""
    lab.write(cluster(1, 2))
    lab.prov("apply", "--yes", code=0)
    lab.write(cluster(1, 4))
    lab.prov("sim", "fault", "fail", "create_machine", "--kind", "denied")

    done = lab.prov("apply", "--yes", code=3)

    assert "1 failed" in done.stderr
    lab.prov("apply", "--yes")
    lab.assert_settled(1, 4)


def test_lost_answers_and_throttling_are_overcome(lab: Lab) -> None:
    """Answers lost after the effect neither double nor lose anything."""
    lab.write(cluster(1, 0))
    lab.prov("apply", "--yes")
    for call, kind in (("create_machine", "lost"), ("create_machine", "throttled"), ("ApplyConfiguration", "lost")):
        lab.prov("sim", "fault", "fail", call, "--kind", kind, "--times", "2")
    lab.write(cluster(1, 2, patches=[{"machine": {"sysctls": {"a.b": "1"}}}]))

    lab.prov("apply", "--yes")

    lab.assert_settled(1, 2)


@pytest.mark.parametrize("case", sorted((ROOT / "tests/cases/spec").iterdir()), ids=lambda case: case.name)
def test_bad_input_ends_in_errors_one_can_act_on(
    case: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every bad file ends the command with 1, a place and a cause; never with a traceback."""
    from provisioner.cli.main import main

    given = json.loads((case / "given.json").read_text()) if (case / "given.json").exists() else {}
    for name, value in given.get("environ", {}).items():
        monkeypatch.setenv(name, value)
    variables = [f"--var={name}={value}" for name, value in given.get("variables", {}).items()]
    monkeypatch.chdir(case)
    monkeypatch.setattr(sys, "argv", ["prov", "validate", *variables])

    with pytest.raises(SystemExit) as ended:
        main()

    err = capsys.readouterr().err
    assert ended.value.code == 1
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert "fault inside prov" not in err


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("prov plan >&-", 2, ""),
        ("prov plan <&- 2>&-", 2, ""),
        ("prov plan >/dev/full", 1, "No space left on device"),
        ("prov plan --out .", 1, "a file cannot be written"),
        ("prov plan --allow dataloss", 1, "there is no such danger"),
        ("prov apply --yes --state /dev/null/lab.db", 1, "the state cannot be written"),
        ("ulimit -f 1; prov apply --yes", 1, "the state cannot be written"),
        ("PYTHONIOENCODING=ascii prov plan", 2, ""),
    ],
)
def test_odd_surroundings_end_in_errors_one_can_act_on(lab: Lab, command: str, code: int, said: str) -> None:
    """Closed streams, full disks, places that cannot be written and poor locales are no faults of prov."""
    lab.write(cluster(1, 0, patches=[{"machine": {"sysctls": {"a.b": "→"}}}], name="lab"))
    environ = {**lab.environ, "PATH": f"{PROV.parent}:{lab.environ['PATH']}"}

    done = subprocess.run(
        ["bash", "-c", command], cwd=lab.folder, env=environ, capture_output=True, text=True, check=False
    )

    assert (done.returncode, "fault inside prov" in done.stderr) == (code, False), done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_set_up_names_the_package_that_debian_splits_off(tmp_path: Path) -> None:
    """A Python without venv is told apart, and the package is named."""
    stub = tmp_path / "python3"
    stub.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"\n')
    stub.chmod(0o755)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/setup.sh").write_text((ROOT / "scripts/setup.sh").read_text())

    done = subprocess.run(
        ["sh", tmp_path / "scripts/setup.sh"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(stub)},
        capture_output=True,
        text=True,
        check=False,
    )

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert done.returncode == 1
    assert f"apt install python{version}-venv" in done.stderr


def _secrets(lab: Lab) -> set[str]:
    """Every secret leaf on record, as text."""
    store = SqliteStore(lab.folder / ".prov/lab.db", "lab", lambda: find_identity(lab.environ))  # type: ignore[arg-type, return-value]
    entries = store.load().entries.values()
    store.close()
    values = [value for entry in entries for part in (entry.applied, entry.outputs) for value in part.values()]
    return {str(leaf.reveal()) for value in values for _, leaf in leaves(value) if isinstance(leaf, Secret)}


def _until_closed(terminal: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode(errors="replace")


def test_a_sealed_value_stands_in_the_file(lab: Lab) -> None:
    """`prov keys seal` prints what a file may have in place of a secret; who has no identity is told so."""
    done = subprocess.run(
        [PROV, "keys", "seal"],
        cwd=lab.folder,
        env=lab.environ,
        input=f"{PLANTED}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    lab.write(cluster(1, 0, outputs={"password": done.stdout.strip(), "length": "known"}))

    planned = lab.prov("plan", code=2)
    refused = lab.prov("plan", code=1, PROV_AGE_KEY_FILE="", HOME="/nonexistent")

    assert PLANTED not in done.stdout + planned.stdout + refused.stderr
    assert ("a sealed value cannot be opened" in refused.stderr, "PROV_AGE_KEY" in refused.stderr) == (True, True)
