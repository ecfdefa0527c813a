"""What others have collected of real BMCs: the samples of OpenStack's sushy, and mockups of DMTF.

The samples are in sushy's wheel. DMTF's mockups are in no package; a folder of them is read where one is named.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from beds.bmc.bed import BmcBed
from beds.bmc.exchange import Answer, Asked, Habit, Pass
from beds.bmc.register import ENABLED, MODE, TARGET
from beds.bmc.service import SESSIONS, TakesOn
from beds.bmc.static import Static, mockup, samples
from prov_metal.bmc.redfish import RedfishBmc

from provisioner.sdk import Fatal, Retry

Ask = Callable[..., tuple[BmcBed, RedfishBmc]]
SYSTEM = "/redfish/v1/Systems/437XR1138R2"
MOCKUPS = os.environ.get("PROV_REDFISH_MOCKUPS", "")
DISC = "http://10.0.0.1/disc.iso"


def _text(name: str) -> str:
    return (resources.files("sushy") / "tests/unit/json_samples" / name).read_text()


def _json(name: str) -> Any:
    return json.loads(_text(name))


def _tree(*more: str) -> dict[str, Any]:
    """A whole service of samples: the usual ones, and others in their places."""
    usual = ("root", "system_collection", "system", "manager_collection", "manager", "virtual_media_collection")
    slots = ("virtual_media", "virtual_media_collectionv1_6", "virtual_mediav1_6", "chassis", "taskservice")
    tree = samples(*(_text(f"{name}.json") for name in (*usual, *slots, *more)))
    tree["/redfish/v1/Systems"]["Members"] = [{"@odata.id": SYSTEM}]
    return tree


def _whole_way(bmc: RedfishBmc, *, disc: bool) -> None:
    """Everything that prov asks of a BMC, in the order of a host's life."""
    facts = bmc.facts()
    bmc.switch(on=not facts.on)
    bmc.switch(on=facts.on)
    bmc.events()
    bmc.media()
    if disc:
        bmc.insert(DISC)
        assert bmc.media() == DISC
        bmc.eject()
        assert bmc.media() is None
    for source, target in (("cd", "Cd"), ("network", "Pxe")):
        bmc.boot_from(source)  # type: ignore[arg-type]
        assert target in (_boot(bmc)[TARGET], _waits(bmc).get(TARGET))
    bmc.boot_from("disk")


def _boot(bmc: RedfishBmc) -> Any:
    return bmc._machine.system()["Boot"]


def _waits(bmc: RedfishBmc) -> Any:
    """The boot settings of the settings resource, if there is one."""
    link = (bmc._machine.system().get("@Redfish.Settings") or {}).get("SettingsObject")
    return bmc.wire.get(link["@odata.id"]).get("Boot", {}) if link else {}


@pytest.mark.parametrize(
    "system", ["system.json", "systemv1_20.json", "system_managedby_missing_manager_present.json"]
)
@pytest.mark.parametrize("manager", ["manager.json", "managerv1_18.json"])
def test_sushy_s_systems_are_gone_all_the_way_with(ask: Ask, system: str, manager: str) -> None:
    """Facts, switch, log and boot source, whichever version its schema is; slots as far as they take discs."""
    tree = _tree()
    tree[SYSTEM], tree["/redfish/v1/Managers/BMC"] = _json(system), _json(manager)
    _, bmc = ask(Static(tree))
    _whole_way(bmc, disc=False)
    facts = bmc.facts()
    assert (facts.vendor, facts.model, facts.serial) == ("Contoso", "3500", "437XR1138R2")
    assert (facts.uuid, facts.memory_gib) == ("38947555-7742-3448-3784-823347823834", 96.0)


def test_sushy_s_slots_are_told_by_their_media(ask: Ask) -> None:
    """The floppy is left alone; the disc's slot has no actions, and is changed itself."""
    tree = _tree("systemv1_20")
    tree["/redfish/v1/Systems/437XR1138R2/VirtualMedia"]["Members"] = [{"@odata.id": f"{SYSTEM}/VirtualMedia/CD1"}]
    tree["/redfish/v1/Managers/BMC/VirtualMedia"]["Members"] = [
        {"@odata.id": "/redfish/v1/Managers/BMC/VirtualMedia/Floppy1"}
    ]
    tree[SYSTEM]["VirtualMedia"] = {"@odata.id": f"{SYSTEM}/VirtualMedia"}
    static = Static(tree)
    _, bmc = ask(static)
    _whole_way(bmc, disc=True)
    assert [path for path in static.changed if "Floppy" in path] == []


@pytest.mark.parametrize(
    ("link", "body", "apart"),
    [
        ("settings-nokia.json", "settings-body-nokia.json", {TARGET, ENABLED, MODE}),
        ("settings-lenovo-se450.json", "settings-body-lenovo-se450.json", set()),
        (None, "settings-body-bootsourceoverridemode-only.json", {MODE}),
    ],
)
def test_boot_settings_go_where_a_vendor_has_them(ask: Ask, link: str | None, body: str, apart: set[str]) -> None:
    """Nokia has them apart, Lenovo's SE450 the boot order only, an iDRAC10 the mode only."""
    tree, settings = _tree(), _json(body)
    place = settings["@odata.id"]
    tree[place] = settings
    tree[SYSTEM]["Boot"].update({TARGET: "Hdd", ENABLED: "Disabled", MODE: "Legacy"})
    settings["Boot"].update(dict.fromkeys(apart & {MODE}, "Legacy"))
    tree[SYSTEM]["@Redfish.Settings"] = (
        _json(link)["@Redfish.Settings"] if link else {"SettingsObject": {"@odata.id": place}}
    )
    static = Static(tree)
    _, bmc = ask(static)
    bmc.boot_from("http", "http://10.0.0.1/disc.efi")
    wanted = {TARGET: "UefiHttp", ENABLED: "Once", MODE: "UEFI", "HttpBootUri": "http://10.0.0.1/disc.efi"}
    now, waits = static.tree[SYSTEM]["Boot"], static.tree[place]["Boot"]
    assert {name for name, value in wanted.items() if waits.get(name) == value} - {"HttpBootUri"} == apart
    assert all(value in (now.get(name), waits.get(name)) for name, value in wanted.items())


REFUSALS = {
    "transfer_proto_required_error.json": "TransferProtocolType",
    "transfer_proto_required_error2.json": "TransferProtocolType",
    "transfer_proto_required_error3.json": "TransferProtocolType",
    "transfer_proto_required_error4.json": "TransferProtocolType",
    "transfer_method_required_error.json": "TransferMethod",
    "credentials_required_error.json": "UserName",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_an_insertion_lacks_is_added(ask: Ask, disc: str, name: str) -> None:
    """In each of the words that vendors have for it."""

    def wants(asked: Asked, on: Pass) -> Answer:
        if asked.does("VirtualMedia.InsertMedia") and REFUSALS[name] not in asked.body:
            return Answer(400, _json(name))
        return on(asked)

    _, bmc = ask(wants)
    bmc.insert(disc)
    assert disc == bmc.media()


@pytest.mark.parametrize("headers", ["session_creation_headers.json", "session_creation_headers_no_location.json"])
def test_a_session_is_given_back_wherever_its_place_is_said(ask: Ask, headers: str) -> None:
    """In a header, or in the session alone."""
    given = {name: value for name, value in _json(headers).items() if name in ("X-Auth-Token", "Location", "ETag")}

    def login(asked: Asked, on: Pass) -> Answer:
        return Answer(201, _json("session.json"), given) if asked.method == "POST" else on(asked)

    bed, bmc = ask(login, Static(_tree("session", "session_service")))
    bmc.facts()
    bmc.wire.close()
    assert [asked.path for asked in bed.asked if asked.method == "POST"] == [SESSIONS]
    place = urlsplit(given.get("Location", f"{SESSIONS}/1234567890ABCDEF")).path
    assert [place] == [asked.path for asked in bed.asked if asked.method == "DELETE"]
    assert {asked.headers.get("X-Auth-Token") for asked in bed.asked[2:]} == {given["X-Auth-Token"]}


@pytest.mark.parametrize("name", ["task.json", "task_monitor.json"])
def test_tasks_of_sushy_come_to_an_end(ask: Ask, disc: str, name: str) -> None:
    """A warning among its messages is no failure."""
    _, bmc = ask(TakesOn("InsertMedia", looks=0, ends=Answer(200, _json(name))))
    with pytest.raises(Retry, match="has not inserted the media yet"):
        bmc.insert(disc)
    bmc.insert(disc)
    assert disc == bmc.media()


def test_a_task_of_sushy_that_waits_holds_nothing_else_up(ask: Ask, disc: str) -> None:
    """It is pending: the start of the machine may be what it waits for."""
    _, bmc = ask(TakesOn("InsertMedia", looks=0, ends=Answer(200, _json("task2.json"))))
    for _ in range(2):
        with pytest.raises(Retry, match="has not inserted the media yet"):
            bmc.insert(disc)
    bmc.boot_from("network")
    assert _boot(bmc)[TARGET] == "Pxe"


@pytest.mark.parametrize("name", ["error.json", "error_single_ext_info.json", "session_error.json"])
def test_errors_of_sushy_have_their_words(ask: Ask, name: str) -> None:
    """Whether the messages are a list or one."""

    def refuses(asked: Asked, on: Pass) -> Answer:
        return Answer(400, _json(name)) if asked.method == "POST" else on(asked)

    _, bmc = ask(refuses)
    with pytest.raises(Fatal, match="refuses a request") as caught:
        bmc.switch(on=True)
    error = _json(name)["error"]
    info = error["@Message.ExtendedInfo"]
    message = info[0]["Message"] if isinstance(info, list) else info["Message"]
    assert message.partition("%")[0][:40] in caught.value.detail


def _published() -> list[Path]:
    """The mockups in the folder: each has the service's root in it."""
    found = [path.parent for path in Path(MOCKUPS).rglob("index.json")] if MOCKUPS else []
    return sorted(folder for folder in found if (folder / "Systems").is_dir())


@pytest.mark.skipif(not MOCKUPS, reason="DMTF's mockups are in no package: name a folder as PROV_REDFISH_MOCKUPS")
def test_dmtf_s_mockups_are_gone_all_the_way_with(ask: Ask) -> None:
    """Every mockup of a machine in the folder."""
    folders = _published()
    assert folders
    for folder in folders:
        habits: tuple[Habit, ...] = (Static(mockup(folder)),)
        _, bmc = ask(*habits)
        _whole_way(bmc, disc=True)
