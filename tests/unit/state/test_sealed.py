"""Sealing: opens with the right identity and in the right place, and nowhere else."""

from __future__ import annotations

import base64

import pytest

from provisioner.errors import KeyMissing, ProvError, StateError
from provisioner.state.sealed import Identity, Vault, Wrapped, new_data_key, new_identity, unwrap

ME, YOU = Identity(new_identity(), "mine"), Identity(new_identity(), "yours")


def _vault(wrapped: Wrapped | None = None, identity: Identity = ME, lineage: str = "L") -> Vault:
    return Vault(wrapped or new_data_key((ME.recipient(),)), lambda: identity, lineage)


def test_what_was_closed_opens() -> None:
    vault = _vault()
    assert vault.open(vault.close("hunter2 ✓", "k"), "k") == "hunter2 ✓"


def test_a_sealed_text_shows_nothing_and_never_repeats() -> None:
    vault = _vault()
    first, second = vault.close("hunter2", "k"), vault.close("hunter2", "k")
    assert first != second
    for sealed in (first, second):
        assert "hunter2" not in sealed
        assert b"hunter2" not in base64.b64decode(sealed)


def test_every_recipient_can_open_and_nobody_else() -> None:
    wrapped = new_data_key((ME.recipient(), YOU.recipient()))
    assert unwrap(wrapped, ME) == unwrap(wrapped, YOU)
    with pytest.raises(KeyMissing):
        unwrap(wrapped, Identity(new_identity(), "a stranger's"))


def test_the_wrong_identity_is_told_where_it_came_from_and_what_to_do() -> None:
    wrapped = new_data_key((ME.recipient(),))
    with pytest.raises(KeyMissing) as caught:
        _vault(wrapped, YOU).close("x", "k")
    assert "yours" in caught.value.detail
    assert ME.recipient() in caught.value.detail
    assert "PROV_AGE_KEY_FILE" in caught.value.remedy
    assert YOU.text not in caught.value.detail


@pytest.mark.parametrize("elsewhere", [("L", "other"), ("M", "k")])
def test_a_sealed_text_opens_in_its_own_place_only(elsewhere: tuple[str, str]) -> None:
    wrapped = new_data_key((ME.recipient(),))
    sealed = _vault(wrapped).close("x", "k")
    lineage, bound = elsewhere
    with pytest.raises(StateError, match="does not open"):
        _vault(wrapped, lineage=lineage).open(sealed, bound)


@pytest.mark.parametrize(
    "spoil", [lambda s: s[:-8] + "AAAAAAA=", lambda s: s[:8], lambda s: s[:7], lambda s: "", lambda s: "A"]
)
def test_a_sealed_text_that_was_altered_is_refused(spoil) -> None:  # type: ignore[no-untyped-def]
    vault = _vault()
    with pytest.raises(StateError, match="does not open"):
        vault.open(spoil(vault.close("hunter2", "k")), "k")


@pytest.mark.parametrize(
    "text", ["", "garbage", "AGE-SECRET-KEY-1NONSENSE", ME.recipient()], ids=["empty", "garbage", "half", "public"]
)
def test_what_is_no_identity_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(KeyMissing, match="not an age identity") as caught:
        Identity(text, "PROV_AGE_KEY").recipient()
    assert "PROV_AGE_KEY" in caught.value.detail
    assert not text or text not in caught.value.detail


def test_a_wrapped_key_that_was_spoilt_is_an_error_for_people() -> None:
    wrapped = new_data_key((ME.recipient(),))
    for text in ("", "A", wrapped.text[: len(wrapped.text) // 2], base64.b64encode(b"nonsense").decode()):
        with pytest.raises(ProvError):
            unwrap(Wrapped(text, wrapped.recipients), ME)


def test_an_identity_never_prints() -> None:
    assert repr(ME) == "Identity(*** from mine)"


def test_comments_and_blank_lines_around_an_identity_do_not_matter() -> None:
    text = f"# created by somebody\n# public key: x\n\n{ME.text}\n"
    assert Identity(text, "a file").recipient() == ME.recipient()


def test_the_identity_is_asked_for_only_when_a_secret_is_met() -> None:
    def refuse() -> Identity:
        raise AssertionError("nobody needs it yet")

    Vault(new_data_key((ME.recipient(),)), refuse, "L")
