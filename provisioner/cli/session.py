"""What a command gets from its surroundings: streams, clock, environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from provisioner.errors import InputError, Place, Problem, ProvError
from provisioner.render.style import Style

if TYPE_CHECKING:
    from provisioner.state.sqlite_store import SqliteStore
    from provisioner.workflow.open import Project, World

DONE, ERROR, CHANGES, PARTLY = 0, 1, 2, 3
"""Exit codes: done; error; changes pending (plan); partly applied."""


def world() -> World:
    """The outside as this process sees it."""
    from provisioner.workflow.open import World

    return World(
        environ=os.environ,
        now=lambda: datetime.now(UTC),
        tell=say,
        person=sys.stdin.isatty() and sys.stderr.isatty(),
    )


def project(file: Path, state: Path | None, variables: Sequence[str] | None) -> Project:
    """The project of a cluster file."""
    from provisioner.workflow.open import open_project

    return open_project(file, state, parsed_variables(variables), world())


def state(file: Path, state: Path | None, variables: Sequence[str] | None) -> SqliteStore:
    """The state alone; the cluster file is read for its name only, and not at all where the state is named."""
    from provisioner.workflow.open import open_state

    return open_state(file, state, parsed_variables(variables), world())


def ask(question: str, *, yes: bool, first: str) -> None:
    """Goes on if a person agrees, or has agreed with --yes; `first` is the command to look at before that."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ProvError(
            "nobody is there to say yes",
            detail="standard input is no terminal",
            remedy=f"look at `{first}`, then add --yes",
        )
    if not typer.confirm(question, err=True):
        raise typer.Abort


def parsed_variables(given: Sequence[str] | None) -> Mapping[str, str]:
    """`NAME=VALUE` options as a mapping."""
    wrong = [text for text in given or () if "=" not in text]
    if wrong:
        raise InputError(
            [
                Problem("option", "a variable needs a value", f"--var {text}", Place(), f"write --var {text}=VALUE")
                for text in wrong
            ]
        )
    return dict(text.split("=", 1) for text in given or ())


def dangers(allowed: Sequence[str] | None) -> frozenset[str]:
    """What `--allow` names; a word that is no danger is refused, for it would allow nothing."""
    from provisioner.planner.guard import DANGERS

    unknown = [text for text in allowed or () if text not in DANGERS]
    words = " or ".join(f"--allow {word}" for word in DANGERS)
    if unknown:
        raise InputError(
            [
                Problem("option", "there is no such danger", f"--allow {text}", Place(), f"write {words}")
                for text in unknown
            ]
        )
    return frozenset(allowed or ())


def say(text: str) -> None:
    """Talk goes to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def data(text: str) -> None:
    """Data goes to standard output."""
    sys.stdout.write(text)
    sys.stdout.flush()


def data_json(value: Any) -> None:
    """Data as indented JSON."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    data(json.dumps(value, indent=2, ensure_ascii=not plain) + "\n")


def style_out() -> Style:
    """What fits standard output."""
    return Style.of(sys.stdout, os.environ)


def style_err() -> Style:
    """What fits standard error."""
    return Style.of(sys.stderr, os.environ)


def leave(code: int) -> NoReturn:
    """Ends the command with an exit code."""
    raise typer.Exit(code)
