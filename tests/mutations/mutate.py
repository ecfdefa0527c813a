"""Puts each mutation into a copy of the source, and sees whether the tests notice it (`make mutate`).

    python tests/mutations/mutate.py            all of them
    python tests/mutations/mutate.py redact     those whose name or file has this in it

The source itself is never touched. Two copies are tried at a time, each in a process that is forked from this one,
so that what the tests need is loaded once. Before that the tests are run on the source as it is, for what fails
anyway notices nothing. Ends with 1 where a mutation survives, or where one breaks the source so that nothing can be
imported, which proves nothing.
"""

from __future__ import annotations

import compileall
import json
import os
import py_compile
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import Phase, settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutations.catalogue import ROOT, Mutation, catalogue

JOBS = 2
PACKAGE = "provisioner"
_PROVIDERS = ("providers/aws/src/prov_aws", "providers/metal/src/prov_metal")
"""Packages beside ours that have mutations."""
PATIENCE = 90
"""Seconds after which a mutation counts as noticed: it made something go on for ever."""
PRELOADED = (
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "google.protobuf.descriptor_pool",
    "grpclib.client",
    "pyrage",
    "sqlite3",
    "typer",
    "yaml",
)
"""What tests import that is not ours."""


@frozen
class Verdict:
    """What became of one mutation: the test that noticed it, empty where none did, and what it said."""

    mutation: Mutation
    noticed: str
    broken: bool
    seconds: float
    said: str = ""


class Recorder:
    """Remembers the first failure of a session."""

    def __init__(self) -> None:
        self.failed = ""
        self.said = ""
        self.broken = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed, self.said = report.nodeid, report.longreprtext

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed, self.said, self.broken = report.nodeid, report.longreprtext, True


def main(words: Sequence[str]) -> int:
    """Tries the mutations that the words choose; the exit code."""
    chosen = [each for each in catalogue() if not words or any(word in each.name + each.file for word in words)]
    for name in PRELOADED:
        __import__(name)
    # What was found need not be made small, and the same is to be found each time.
    settings.register_profile("mutations", phases=(Phase.explicit, Phase.generate), derandomize=True, database=None)
    settings.load_profile("mutations")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copies = [_copy(Path(folder) / str(number)) for number in range(JOBS)]
        as_it_is = _tried(tuple(map(_nothing, sorted({each.tests for each in chosen}))), list(copies))
        failing = [each for each in as_it_is if each.noticed]
        for each in failing:
            print(f"without any mutation there fails {each.noticed}\n{each.said}")
        if failing:
            return 1
        verdicts = _tried(chosen, list(copies))
    wrong = [each for each in verdicts if each.broken or not each.noticed]
    noticed = len(verdicts) - len(wrong)
    print(f"{len(verdicts)} mutations, {noticed} noticed, in {time.monotonic() - began:.0f} s")
    for each in wrong:
        what = "breaks the source, which proves nothing" if each.broken else "survives"
        print(f"  {each.mutation.name} {what}: {each.mutation.file}")
    return bool(wrong)


def _nothing(tests: tuple[str, ...]) -> Mutation:
    """The source as it is, before these tests."""
    return Mutation("nothing", "provisioner/__init__.py", "", "", tests)


def _copy(folder: Path) -> Path:
    """A copy of the source, compiled so that a changed file is told by its contents."""
    ours = shutil.ignore_patterns("__pycache__")
    for source in (PACKAGE, *_PROVIDERS):
        shutil.copytree(ROOT / source, folder / source, ignore=ours)
        compileall.compile_dir(
            folder / source, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
        )
    return folder


def _package(mutation: Mutation) -> str:
    """The package that the mutated file belongs to."""
    return next((source.partition("src/")[2] for source in _PROVIDERS if mutation.file.startswith(source)), PACKAGE)


def _tried(mutations: Sequence[Mutation], free: list[Path]) -> list[Verdict]:
    waiting, running, verdicts = list(mutations), dict[int, tuple[Mutation, Path, float]](), list[Verdict]()
    while waiting or running:
        while waiting and free:
            mutation, folder = waiting.pop(0), free.pop()
            running[_begun(mutation, folder)] = (mutation, folder, time.monotonic())
        pid, status = os.wait()
        mutation, folder, began = running.pop(pid)
        verdicts.append(_verdict(mutation, folder, status, time.monotonic() - began))
        shutil.copy(ROOT / mutation.file, folder / mutation.file)
        free.append(folder)
        if mutation.old:
            _show(verdicts[-1])
    return verdicts


def _begun(mutation: Mutation, folder: Path) -> int:
    """Begins the tests of a mutation in a process of their own; its id."""
    file = folder / mutation.file
    if mutation.old:
        file.write_text(mutation.applied(file.read_text()))
    pid = os.fork()
    if pid == 0:
        _child(mutation, folder)
    return pid


def _child(mutation: Mutation, folder: Path) -> None:
    signal.alarm(PATIENCE)
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(folder), *(str(folder / source) for source in map(os.path.dirname, _PROVIDERS))]
    os.chdir(ROOT)
    quiet = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    recorder = Recorder()
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "-o", "addopts="]
    pytest.main([*options, "--import-mode=importlib", *mutation.tests], plugins=[recorder])
    used = Path(sys.modules[_package(mutation)].__file__ or "")
    broken = recorder.broken or folder not in used.parents
    (folder / "verdict").write_text(json.dumps([recorder.failed, broken, recorder.said]))
    os._exit(0)


def _verdict(mutation: Mutation, folder: Path, status: int, seconds: float) -> Verdict:
    if os.WIFSIGNALED(status):
        return Verdict(mutation, "nothing came to an end", False, seconds)
    failed, broken, said = json.loads((folder / "verdict").read_text())
    (folder / "verdict").unlink()
    return Verdict(mutation, failed, broken, seconds, said)


def _show(verdict: Verdict) -> None:
    told = "BROKEN" if verdict.broken else verdict.noticed.rpartition("/")[2] or "SURVIVES"
    print(f"{verdict.seconds:5.1f} s  {verdict.mutation.name:<62}  {told[:100]}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
