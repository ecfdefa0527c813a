"""The command line in this process, in a folder of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from attrs import frozen

from provisioner.cli.main import main


@frozen
class Said:
    """What a command put out."""

    stdout: str
    stderr: str


@frozen
class Desk:
    """The command in this process, run in a folder."""

    folder: Path
    environ: dict[str, str]
    streams: pytest.CaptureFixture[str]

    def prov(self, *args: str, code: int = 0, **environ: str) -> Said:
        """Runs the command, which must end with `code`."""
        self.streams.readouterr()
        with pytest.MonkeyPatch.context() as world:
            for name, value in {**self.environ, **environ}.items():
                world.setenv(name, value)
            world.chdir(self.folder)
            world.setattr(sys, "argv", ["prov", *args])
            with pytest.raises(SystemExit) as ended:
                main()
        said = Said(*self.streams.readouterr())
        assert (ended.value.code or 0) == code, said
        return said
