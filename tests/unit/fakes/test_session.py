"""The reader of sessions notices what a document gets wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.session import Command, Session, commands, differs

SAID = "one\ntwo  127.64.0.7  on\n    3.1 s  three\nfour\n\n"


def test_commands_are_found_with_what_they_show_and_how_they_end() -> None:
    document = "text\n\n```console exit=2\n$ first\nsaid\n$ second\n```\n\n```sh\n$ not this\n```\n"

    assert [Command(4, "first", ("said",), 0), Command(6, "second", (), 2)] == list(commands(document))


@pytest.mark.parametrize(
    "shown",
    [
        ("one", "two  127.64.12.34      on", "   10.9 s  three", "four"),
        ("one", "…", "four"),
        ("…", "four"),
        ("one", "…"),
        ("o…", "…", "fo…r"),
    ],
)
def test_what_is_shown_fits(shown: tuple[str, ...]) -> None:
    assert differs(shown, SAID) == ""


@pytest.mark.parametrize(
    ("shown", "wrong"),
    [
        (("one", "four"), "four"),
        (("one", "…", "five"), "five"),
        (("…", "four", "…", "one"), "one"),
        (("one",), "the end: there is more"),
        ((), "the end: there is more"),
        (("one", "two  127.64.0.7  off", "…"), "two  127.64.0.7  off"),
    ],
)
def test_what_is_wrong_is_named(shown: tuple[str, ...], wrong: str) -> None:
    assert wrong == differs(shown, SAID)


def test_folder_environment_and_exit_code_pass_on(tmp_path: Path) -> None:
    session = Session(tmp_path, {"PATH": "/usr/bin:/bin"})

    session.run("mkdir inner && cd inner && export WORD='a b'; false")

    assert session.code == 1
    assert session.run('echo "$? $WORD $(basename "$PWD")"') == "1 a b inner\n"
