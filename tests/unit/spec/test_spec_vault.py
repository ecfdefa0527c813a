"""Secrets that are kept in files, or sealed where they stand."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import pyrage
import pytest

from provisioner.errors import ProvError
from provisioner.model.value import Secret, Value
from provisioner.spec.expressions import expand
from provisioner.spec.files import Folder
from provisioner.spec.references import ReferenceFault, Scope
from provisioner.spec.vault import LONGEST, Kept, unsealed_by_nobody
from provisioner.state.sealed import new_identity
from provisioner.state.values import seal, unsealer

OWN, OTHER = new_identity(), new_identity()


def recipient(identity: str) -> str:
    return str(pyrage.x25519.Identity.from_str(identity).to_public())


def value(text: str, folder: Path, environ: Mapping[str, str] | None = None) -> Value:
    unseal = unsealed_by_nobody if environ is None else unsealer(environ)
    return expand(text, Scope(vault=Kept(Folder(folder, folder), unseal)))


@pytest.mark.parametrize("name", ["file.password", 'file["password"]', "file['./secrets/../password']"])
def test_the_text_of_a_file_is_a_secret(name: str, tmp_path: Path) -> None:
    """Without the end of its last line, and secret whatever it is."""
    (tmp_path / "password").write_bytes(b"hunter2\r\n")
    (tmp_path / "secrets").mkdir()
    assert value(f"${{{name}}}", tmp_path) == Secret("hunter2")


def test_within_text_all_of_it_is_secret(tmp_path: Path) -> None:
    """And only the last end of a line goes."""
    (tmp_path / "key").write_text("one\ntwo\n\n")
    assert value("<${file.key}>", tmp_path) == Secret("<one\ntwo\n>")


@pytest.mark.parametrize("armored", [False, True])
def test_a_file_that_is_sealed_is_opened(armored: bool, tmp_path: Path) -> None:
    """In both forms that age writes."""
    to = [pyrage.x25519.Recipient.from_str(recipient(OWN))]
    (tmp_path / "password.age").write_bytes(pyrage.encrypt(b"hunter2\n", to, armored=armored))
    assert value('${file["password.age"]}', tmp_path, {"PROV_AGE_KEY": OWN}) == Secret("hunter2")


def test_a_sealed_value_is_opened(tmp_path: Path) -> None:
    """By each of those it is sealed for; it stands on one line, without quotes or commas."""
    sealed = seal("hunter2 ä", [recipient(OWN), recipient(OTHER)])
    found = [value(f"${{sealed['{sealed}']}}", tmp_path, {"PROV_AGE_KEY": key}) for key in (OWN, OTHER)]
    assert found == [Secret("hunter2 ä")] * 2
    assert not set(sealed) & set(" ,'\"\n=")


@pytest.mark.parametrize(
    ("text", "environ", "says"),
    [
        ("${file.none}", None, "none: No such file"),
        ("${file.folder}", None, "folder: it is not a regular file"),
        ("${file.empty}", None, "empty"),
        ("${file.bytes}", None, "bytes"),
        ("${file.long}", None, f"at most {LONGEST}"),
        ("${file.password.txt}", None, "file.password.txt"),
        ("${sealed['hunter2']}", {"PROV_AGE_KEY": OWN}, "not what `prov keys seal` prints"),
        ("${sealed['SEALED']}", None, "the sealed value"),
        ("${sealed['SEALED']}", {"PROV_AGE_KEY": OTHER}, "the identity from PROV_AGE_KEY does not open it"),
        ("${sealed['SEALED']}", {"HOME": "/nonexistent"}, "the sealed value"),
        ("${sealed['DAMAGED']}", {"PROV_AGE_KEY": OWN}, "does not open it"),
    ],
)
def test_what_cannot_be_had_is_told(text: str, environ: Mapping[str, str] | None, says: str, tmp_path: Path) -> None:
    """With what to do, and without the secret."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_text("x" * (LONGEST + 1))
    sealed = seal("hunter2", [recipient(OWN)])
    raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    damaged = base64.urlsafe_b64encode(raw[:-1] + bytes((raw[-1] ^ 1,))).decode().rstrip("=")
    with pytest.raises(ReferenceFault) as caught:
        value(text.replace("SEALED", sealed).replace("DAMAGED", damaged), tmp_path, environ)
    assert says in caught.value.detail
    assert caught.value.remedy
    assert "hunter2" not in repr(vars(caught.value)).replace("sealed['hunter2']", "")


def test_where_no_files_are_read_there_are_none() -> None:
    """A scope without a vault says so."""
    with pytest.raises(ReferenceFault, match="cannot be had here"):
        expand("${file.password}", Scope())


def test_nothing_is_sealed_for_who_is_no_recipient() -> None:
    """An identity given by mistake is not repeated."""
    with pytest.raises(ProvError) as caught:
        seal("hunter2", [OWN])
    assert OWN not in repr(vars(caught.value))
