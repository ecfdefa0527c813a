"""Sessions in documents: the commands of their console blocks, run word for word.

A block looks like this, with `console` behind the backticks; `console exit=2` says how its last command ends, all
others end with 0:

    $ prov plan --var workers=3
    Plan for first: 2 to create, 1 to check
    …

A line that begins with `$ ` is a command; what follows is all that it says on both streams. A line `…` stands for
any number of lines, a `…` within a line for any text. What differs from run to run (addresses, seconds, keys) may
differ, and so may the width of columns. Folder, environment and `$?` pass from each command to the next.

Blocks in another language are for reading only.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import define, frozen

ANY = "…"
_BLOCK = re.compile(r"^```console(?: exit=(?P<code>\d+))?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIES = (
    (re.compile(r"\b127\.\d+\.\d+\.\d+\b"), "127.x.x.x"),
    (re.compile(r"^ *\d+\.\d s"), "0.0 s"),
    (re.compile(r"\d+\.\d s\b"), "0.0 s"),
    (re.compile(r"\bage1[0-9a-z]{20,}"), "age1…"),
    (re.compile(r"\bcluster [0-9a-f]{12}\b"), "cluster x"),
    (re.compile(r"(?<=\S) {2,}"), "  "),
)


@frozen
class Command:
    """One command of a document, the output it shows, and the exit code it must have."""

    line: int
    text: str
    shown: tuple[str, ...]
    code: int


def commands(document: str) -> Iterator[Command]:
    """The commands of all console blocks, in order."""
    for block in _BLOCK.finditer(document):
        first = document.count("\n", 0, block.start()) + 2
        lines = block["body"].splitlines()
        starts = [at for at, line in enumerate(lines) if line.startswith("$ ")]
        assert starts[:1] == [0], f"line {first}: a console block begins with a command"
        for at, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            code = int(block["code"] or 0) if end == len(lines) else 0
            yield Command(first + at, lines[at].removeprefix("$ "), tuple(lines[at + 1 : end]), code)


@define
class Session:
    """A shell at work: its folder and environment, as the last command left them."""

    folder: Path
    environ: Mapping[str, str]
    code: int = 0

    def run(self, command: str, *, timeout_s: float = 300.0) -> str:
        """Runs a command as bash does; returns what it said on both streams."""
        record = self.folder / ".session"
        script = f'(exit {self.code})\n{command}\n__code=$?\n{{ pwd; env -0; }} > "{record}"\nexit $__code\n'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        folder, _, rest = record.read_text().partition("\n")
        record.unlink()
        self.folder = Path(folder)
        self.environ = dict(item.split("=", 1) for item in rest.split("\0") if "=" in item)
        self.code = done.returncode
        return done.stdout


def differs(shown: Sequence[str], said: str) -> str:
    """The first shown line that the output does not have where it should; empty if there is none."""
    real = "".join(f"{_settled(line)}\n" for line in _trimmed(said.splitlines()))
    wanted = _trimmed(shown)
    if re.fullmatch(_pattern(wanted), real):
        return ""
    for count, line in enumerate(wanted, 1):
        if not re.match(_pattern(wanted[:count]), real):
            return line
    return "the end: there is more"


def _pattern(lines: Sequence[str]) -> str:
    return "".join(r"(?:.*\n)*" if line == ANY else _line_pattern(line) + r"\n" for line in lines)


def _line_pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in _settled(line).split(ANY))


def _settled(line: str) -> str:
    for pattern, instead in _VARIES:
        line = pattern.sub(instead, line)
    return line.rstrip()


def _trimmed(lines: Sequence[str]) -> list[str]:
    """Without blank lines at the end."""
    kept = list(lines)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept
