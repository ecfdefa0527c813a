"""Where the age identity comes from, and when one is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import KeyMissing
from provisioner.state.identity import create_identity, default_file, find_identity, identity_source, identity_to_open
from provisioner.state.sealed import new_identity


def _file(path: Path) -> str:
    text = new_identity()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return text


def _source(environ: dict[str, str], told: list[str], *, person: bool):  # type: ignore[no-untyped-def]
    return identity_source(environ, person=person, tell=told.append)


def test_the_first_place_that_has_one_wins(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    texts = {
        "default": _file(tmp_path / ".config" / "prov" / "age.key"),
        "SOPS_AGE_KEY_FILE": _file(tmp_path / "sops.key"),
        "PROV_AGE_KEY_FILE": _file(tmp_path / "prov.key"),
        "PROV_AGE_KEY": new_identity(),
    }
    environ = dict(home)
    found = {"default": find_identity(environ)}
    environ["SOPS_AGE_KEY_FILE"] = str(tmp_path / "sops.key")
    found["SOPS_AGE_KEY_FILE"] = find_identity(environ)
    environ["PROV_AGE_KEY_FILE"] = str(tmp_path / "prov.key")
    found["PROV_AGE_KEY_FILE"] = find_identity(environ)
    environ["PROV_AGE_KEY"] = texts["PROV_AGE_KEY"]
    found["PROV_AGE_KEY"] = find_identity(environ)
    assert texts == {name: identity.text for name, identity in found.items() if identity is not None}


def test_nothing_anywhere_is_none(tmp_path: Path) -> None:
    assert find_identity({"HOME": str(tmp_path)}) is None


def test_the_users_own_file_follows_the_configuration_folder(tmp_path: Path) -> None:
    assert default_file({"XDG_CONFIG_HOME": str(tmp_path), "HOME": "/x"}) == tmp_path / "prov" / "age.key"
    assert default_file({"HOME": "/x"}) == Path("/x/.config/prov/age.key")


@pytest.mark.parametrize("name", ["PROV_AGE_KEY_FILE", "SOPS_AGE_KEY_FILE"])
def test_a_named_file_that_is_not_there_is_an_error_and_no_reason_to_look_further(name: str, tmp_path: Path) -> None:
    _file(tmp_path / ".config" / "prov" / "age.key")
    with pytest.raises(KeyMissing) as caught:
        find_identity({"HOME": str(tmp_path), name: str(tmp_path / "lost.key")})
    assert "lost.key" in caught.value.detail
    assert name in caught.value.detail


def test_a_file_of_bytes_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeyMissing):
        find_identity({"PROV_AGE_KEY_FILE": str(tmp_path / "binary")})


def test_a_new_identity_is_for_its_owner_only(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "age.key"
    made = create_identity(target)
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.parent.stat().st_mode & 0o777 == 0o700
    found = find_identity({"PROV_AGE_KEY_FILE": str(target)})
    assert found is not None
    assert made.recipient() == found.recipient()


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "age.key"
    target.write_text("mine")
    with pytest.raises(KeyMissing, match="already"):
        create_identity(target)
    assert target.read_text() == "mine"


def test_a_persons_first_use_makes_one_and_says_to_keep_a_copy(tmp_path: Path) -> None:
    told: list[str] = []
    find = _source({"HOME": str(tmp_path)}, told, person=True)
    first, second = find(), find()
    assert first.recipient() == second.recipient()
    assert len(told) == 1
    assert str(tmp_path / ".config" / "prov" / "age.key") in told[0]
    assert "back it up" in told[0]
    assert first.text not in told[0]


@pytest.mark.parametrize(("environ", "person"), [({}, False), ({"CI": "true"}, True)])
def test_without_a_person_none_is_ever_made(environ: dict[str, str], person: bool, tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(KeyMissing) as caught:
        _source({"HOME": str(tmp_path), **environ}, told, person=person)()
    assert "prov keys create" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []
    assert told == []


def test_to_open_a_state_none_is_ever_made(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    with pytest.raises(KeyMissing) as caught:
        identity_to_open(environ)()
    assert "PROV_AGE_KEY_FILE" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []
    text = _file(tmp_path / ".config" / "prov" / "age.key")
    assert identity_to_open(environ)().text == text
