"""Each row of the table of quirks, before an emulator that has the habit.

A row that sets something is tried a second time without itself, and must fail then; so none is there for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve, field, frozen
from beds.bmc import habits, service
from beds.bmc.bed import SYSTEM, BmcBed
from beds.bmc.dell import Idrac
from beds.bmc.exchange import Habit
from beds.bmc.register import ENABLED, MODE, TARGET, Register
from beds.bmc.shelf import Shelf, Slot
from prov_metal.bmc.address import parse
from prov_metal.bmc.quirks import Habits
from prov_metal.bmc.redfish import RedfishBmc
from prov_metal.bmc.slots import LATE_S
from prov_metal.bmc.table import QUIRKS
from prov_metal.bmc.wire import Reply, Wire
from prov_metal.client import Client
from prov_metal.diagnosis.causes import diagnose
from prov_metal.diagnosis.evidence import Evidence
from prov_metal.kinds.host import HostKind
from prov_metal.kinds.props import HostOutputs, HostProps
from prov_metal.settings import MetalSettings

from provisioner.sdk import Address, Done, EndpointDown, Fatal, Job, OperatorNeeded, ProvError, Retry, Secret

Ask = Callable[..., tuple[BmcBed, RedfishBmc]]
TRIES = 12
_COMMITTED = "Pending configuration values are already committed, unable to perform another set operation."
_HTTPS = "The URL scheme http is not supported for the parameter Image."
MEDIA = ("None", "Pxe", "Hdd", "UefiHttp", "Cd", "UsbCd")


@frozen
class Ground:
    """What a trial is given: a bed whose BMC has the habits, a driver, a disc, and a clock that goes on by itself."""

    bed: BmcBed
    bmc: RedfishBmc
    disc: str

    def until(self, do: Callable[[], Any]) -> Any:
        """Does it again as the engine would, as long as it says that this may help."""
        for _ in range(TRIES):
            try:
                return do()
            except Retry:
                continue
        return do()


@frozen
class Trial:
    """A row's habits, made anew each time, and what has to be so; it is given the habits to look into."""

    makes: Callable[[], Sequence[Habit]]
    run: Callable[..., None] = field(default=lambda ground, *_: whole_way(ground))


def whole_way(ground: Ground) -> None:
    """A disc goes in, the next start is from it, and both are taken back."""
    until, bmc = ground.until, ground.bmc
    until(lambda: bmc.insert(ground.disc))
    assert ground.disc == bmc.media()
    until(lambda: bmc.boot_from("cd"))
    assert ground.bmc.wire.get(SYSTEM)["Boot"][TARGET] in ("Cd", "UsbCd")
    until(lambda: bmc.boot_from("disk"))
    assert ground.bmc.wire.get(SYSTEM)["Boot"][TARGET] in ("Hdd", "None")
    until(bmc.eject)
    assert bmc.media() is None


def _only(*wanted: str) -> Callable[..., None]:
    """All insertions were into these slots."""

    def run(ground: Ground, shelf: Shelf, *_: Habit) -> None:
        whole_way(ground)
        asked = [slot.name for slot in (*shelf.of_system, *shelf.of_manager) if slot.asked]
        assert list(wanted) == asked

    return run


def _boots(target: str) -> Callable[..., None]:
    """The next start is from there."""

    def run(ground: Ground, register: Register, *_: Habit) -> None:
        ground.until(lambda: ground.bmc.boot_from("cd"))
        assert target == register.boot[TARGET]

    return run


def _lifts_to_once(ground: Ground, register: Register) -> None:
    ground.bmc.boot_from("cd")
    ground.bmc.boot_from("disk")
    assert {TARGET: "Hdd", ENABLED: "Once"}.items() <= register.boot.items()


def _lifts_to_continuous(ground: Ground, register: Register, *_: Habit) -> None:
    ground.bmc.boot_from("disk")
    assert {TARGET: "Hdd", ENABLED: "Continuous"}.items() <= register.boot.items()


def _keeps_the_mode(ground: Ground, register: Register, *_: Habit) -> None:
    ground.bmc.boot_from("cd")
    assert {TARGET: "Cd", MODE: "UEFI"}.items() <= register.boot.items()


def _uefi_by_a_job(ground: Ground, register: Register, *_: Habit) -> None:
    ground.until(lambda: ground.bmc.boot_from("cd"))
    assert [change for change in register.changes if MODE in change] == []
    ground.until(lambda: ground.bmc.boot_from("http", "http://10.0.0.1/disc.efi"))
    wanted = {TARGET: "UefiHttp", MODE: "UEFI", "HttpBootUri": "http://10.0.0.1/disc.efi"}
    assert wanted.items() <= register.boot.items()


def _no_more_than_asked(ground: Ground, register: Register) -> None:
    """The start has used the override up; taking it back then changes nothing."""
    ground.bmc.boot_from("cd")
    register.started()
    written = len(ground.bed.writes())
    ground.bmc.boot_from("disk")
    assert written == len(ground.bed.writes())
    assert [body for _, _, body in ground.bed.writes() if "BootOrder" in str(body)] == []


def _switches(ground: Ground, *made: Habit) -> None:
    """On and off again, with nothing pressed that would do both."""
    power = made[-1]
    assert isinstance(power, habits.Power)
    for on in (True, False):
        ground.until(lambda on=on: ground.bmc.switch(on=on))  # type: ignore[misc]
        while ground.bmc.facts().on != on:
            ground.until(lambda on=on: ground.bmc.switch(on=on))  # type: ignore[misc]
        assert on == power.on
    assert {"On", "ForceOff"} == set(power.pressed)


def _off_before_out(ground: Ground, watch: habits.EjectsUnder, *_: Habit) -> None:
    """A host that is given back is switched off, and then its disc is taken out."""
    ground.bmc.insert(ground.disc)
    ground.bmc.switch(on=True)
    _given_back(ground.bed)
    assert ground.bmc.media() is None
    assert (watch.power.on, watch.under) == (False, 0)


def _from_media(ground: Ground, idrac: Idrac) -> None:
    ground.bmc.boot_from("cd")
    assert idrac.boots_from_media
    ground.bmc.boot_from("disk")
    assert not idrac.boots_from_media


def _attached(ground: Ground, idrac: Idrac) -> None:
    ground.bmc.insert(ground.disc)
    assert idrac.attributes["VirtualMedia.1.Attached"] == "AutoAttach"


def _plain_cd(ground: Ground, idrac: Idrac) -> None:
    whole_way(ground)
    assert not idrac.boots_from_media


def _no_slot(says: str) -> Callable[..., None]:
    def run(ground: Ground, *_: Habit) -> None:
        with pytest.raises(OperatorNeeded, match="no slot for virtual media") as caught:
            ground.bmc.insert(ground.disc)
        assert says in caught.value.detail
        assert "network" in caught.value.remedy

    return run


def _no_licence(ground: Ground, *_: Habit) -> None:
    with pytest.raises(OperatorNeeded, match="has no licence for this") as caught:
        ground.bmc.insert(ground.disc)
    assert "icense" in caught.value.detail


def _names_the_queue(ground: Ground, *_: Habit) -> None:
    with pytest.raises(Retry, match="a job in its queue") as caught:
        ground.until(lambda: ground.bmc.boot_from("cd"))
    assert _COMMITTED in caught.value.detail


def _says_what_it_says(ground: Ground, *_: Habit) -> None:
    with pytest.raises(Fatal) as caught:
        ground.bmc.insert(ground.disc)
    error = f"{caught.value.summary}: {caught.value.detail}"
    found = diagnose(Evidence(host="r1u1", phase="stopped", way="media", error=error))
    assert (found.cause, "serve_tls" in found.remedy) == ("url-refused", True)


class _Impatient(Wire):
    """Does not wait for the answer to the first insertion."""

    waits: bool = False

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, etag: str = "") -> Reply:
        reply = super().ask(method, path, body, etag)
        if path.endswith(habits.INSERT) and not self.waits:
            self.waits = True
            raise EndpointDown("a BMC does not answer", detail="ReadTimeout")
        return reply


def _inserts_once(ground: Ground, *_: Habit) -> None:
    """What was inserted all the same is not taken out to be inserted again."""
    bmc = RedfishBmc(_Impatient(ground.bmc.wire.access))
    ground.until(lambda: bmc.insert(ground.disc))
    asked = [path for _, path, _ in ground.bed.writes()]
    assert (asked, bmc.media()) == ([habits.INSERT], ground.disc)


def _goes_on(ground: Ground, *_: Habit) -> None:
    """The system has another name when the BMC is back; what is inserted is found and taken out again."""
    ground.until(lambda: ground.bmc.insert(ground.disc))
    assert ground.until(lambda: ground.bmc.facts().on) is False
    ground.until(lambda: ground.bmc.boot_from("cd"))


def _is_https(ground: Ground, *_: Habit) -> None:
    assert parse("redfish://10.0.0.1").secure


def _silent_shelf() -> Sequence[Habit]:
    return [Shelf(of_system=(Slot("1", silent=True),), of_manager=(Slot("CD"),))]


def _console_shelf() -> Sequence[Habit]:
    kinds = (Slot("a", status=405), Slot("b", status=400), Slot("c", shown=False), Slot("d"))
    return [Shelf(of_system=kinds)]


def _watched() -> Sequence[Habit]:
    power = habits.Power()
    return [habits.EjectsUnder(power), power]


TRIALS: dict[str, tuple[Trial, ...]] = {
    "media-under-managers": (
        Trial(lambda: [habits.MediaUnderManagers()]),
        Trial(lambda: [Shelf(of_manager=(Slot("1"),))], _only("1")),
    ),
    "no-continuous": (Trial(lambda: [Register(allowed=("Pxe", "Cd", "Hdd"), modes=("Once",))], _lifts_to_once),),
    "same-again-refused": (
        Trial(lambda: [Register({TARGET: "Hdd", ENABLED: "Once", MODE: "UEFI"}, same_refused=True)]),
    ),
    "target-always-wanted": (
        Trial(lambda: [habits.TargetOrNothing(), Register({TARGET: "Cd", ENABLED: "Disabled", MODE: "UEFI"})]),
    ),
    "settings-apart": (
        Trial(lambda: [habits.SettingsApart()]),
        Trial(lambda: [habits.SettingsApart(), habits.WantsEtag()]),
        Trial(lambda: [Register(apart=(TARGET, ENABLED, MODE))]),
        Trial(lambda: [Register(apart=(MODE,))]),
    ),
    "etag-wanted": (Trial(lambda: [habits.WantsEtag()]),),
    "etag-strong": (Trial(lambda: [habits.WantsEtag('W/"{}"')]),),
    "etag-exact": (
        Trial(lambda: [habits.WantsEtag(taken="{}")]),
        Trial(lambda: [habits.WantsEtag(taken='W/"{}"')]),
        Trial(lambda: [habits.WantsEtag('"{}-gzip"')]),
        Trial(lambda: [habits.WantsEtag("", "*")]),
    ),
    "etag-empty": tuple(Trial(lambda tag=tag: [habits.OddTags(tag)]) for tag in ('""', 'W/""', '""x""')),  # type: ignore[misc]
    "etag-sporadic": (Trial(lambda: [habits.Refuses("PATCH", SYSTEM, 412, times=5)]),),
    "no-identity": (Trial(lambda: [service.KnowsNoIdentity()]),),
    "insert-wants-more": tuple(
        Trial(lambda names=names: [habits.InsertWants(names)])  # type: ignore[misc]
        for names in (
            ("TransferProtocolType",),
            ("TransferProtocolType", "TransferMethod"),
            ("TransferProtocolType", "TransferMethod", "UserName"),
            ("Inserted",),
        )
    ),
    "plain-urls": (Trial(lambda: [habits.PicksUrls()]),),
    "late-eject": (Trial(lambda: [habits.EjectsLate(looks=2)]),),
    "late-insert": (Trial(lambda: [Shelf(of_system=(Slot("1", looks=3), Slot("2")))], _only("1")),),
    "slow-insert": (Trial(list, _inserts_once),),
    "eject-under-system": (Trial(_watched, _off_before_out),),
    "session-table-full": (Trial(lambda: [service.Sessions(room=0)]),),
    "long-connections": (Trial(lambda: [service.WantsToBeLeft()]),),
    "tasks": (Trial(lambda: [service.TakesOn("InsertMedia")]), Trial(lambda: [service.TakesOn(SYSTEM)])),
    "stale-power": (Trial(lambda: [habits.Power(looks=3)], _switches),),
    "starts-slowly": (
        Trial(lambda: [habits.Starts()]),
        Trial(lambda: [habits.Starts(name="system-2")], _goes_on),
    ),
    "shared-manager": (
        Trial(lambda: [habits.SharesManager(), Shelf(of_manager=(Slot("1"),))], _no_slot("no slot takes a CD")),
        Trial(
            lambda: [habits.SharesManager(), Shelf(of_system=(Slot("1"),), of_manager=(Slot("2"),))],
            lambda ground, _, shelf: _only("1")(ground, shelf),
        ),
    ),
    "licence": tuple(
        Trial(lambda said=said: [habits.Refuses("POST", habits.INSERT, *said)], _no_licence)  # type: ignore[misc]
        for said in (
            (400, 9, "iLO.2.14.LicenseKeyRequired"),
            (403, 9, "SMC.1.0.OemLicenseNotPassed: Not licensed to perform this request."),
        )
    ),
    "job-queued": (
        Trial(lambda: [habits.Refuses("PATCH", SYSTEM, 400, 3, _COMMITTED)]),
        Trial(lambda: [habits.Refuses("PATCH", SYSTEM, 400, 99, _COMMITTED)], _names_the_queue),
    ),
    "idrac-first-boot": (
        Trial(lambda: [Idrac("5.10.50.00")], _from_media),
        Trial(lambda: [Idrac("2.85.85.85", generation="13G Monolithic", plain=True)], _from_media),
    ),
    "idrac-attach": (Trial(lambda: [Idrac("5.10.50.00")], _attached),),
    "idrac-plug-in": (Trial(lambda: [Idrac("4.40.00.00", plug_in=True)], _attached),),
    "silent-insert": (Trial(_silent_shelf, _only("1", "CD")),),
    "one-medium": (
        Trial(lambda: [Shelf(of_system=(Slot("USB", ("USBStick",)), Slot("CD")), alone=True)], _only("CD")),
    ),
    "idrac10-slot": (
        Trial(
            lambda: [Shelf(of_system=(Slot("2"), Slot("1"))), Idrac("1.20.25.00", "17G Monolithic")],
            _only("1"),
        ),
    ),
    "no-allowable-values": (Trial(lambda: [habits.ListsNothing()]), Trial(lambda: [Register(allowed=())])),
    "on-after-off": (Trial(lambda: [habits.Refuses("POST", habits.RESET, 409), habits.Power()], _switches),),
    "mode-is-a-job": (
        Trial(
            lambda: [
                service.TakesOn("/SD"),
                Register({TARGET: "None", ENABLED: "Disabled", MODE: "Legacy", "HttpBootUri": None}, apart=(MODE,)),
            ],
            lambda ground, _, register: _uefi_by_a_job(ground, register),
        ),
    ),
    "eject-wants-body": (Trial(lambda: [habits.EjectWantsBody()]),),
    "eject-complains": (Trial(lambda: [habits.EjectComplains()]),),
    "not-during-post": (
        Trial(
            lambda: [
                habits.Refuses("PATCH", SYSTEM, 400, 2, "iLO.2.14.UnableToModifyDuringSystemPOST"),
            ]
        ),
    ),
    "slots-by-medium": (
        Trial(lambda: [Shelf(of_manager=(Slot("1", ("Floppy", "USBStick")), Slot("2")))], _only("2")),
        Trial(lambda: [Shelf(of_manager=(Slot("1"), Slot("2", ("Floppy", "USBStick"))))], _only("1")),
    ),
    "no-boot-mode": (Trial(lambda: [Register({TARGET: "None", ENABLED: "Disabled"})]),),
    "insert-image-only": (Trial(lambda: [habits.InsertTakesImageOnly()]),),
    "usb-cd": (Trial(lambda: [Register(allowed=MEDIA), habits.Made("Supermicro", "SYS-1029P")], _boots("UsbCd")),),
    "usb-cd-not": (
        Trial(lambda: [Register(allowed=MEDIA), habits.Made("Supermicro", "ARS-111GL-NHR")], _boots("Cd")),
    ),
    "always-enabled": (
        Trial(
            lambda: [
                Register(
                    {TARGET: "Cd", ENABLED: "Continuous", MODE: "UEFI"}, allowed=("Cd", "Hdd"), needs_enabled=True
                ),
                habits.Made("Supermicro", "X11"),
            ],
            _lifts_to_continuous,
        ),
    ),
    "mode-falls-back": (Trial(lambda: [Register(falls_back=True)], _keeps_the_mode),),
    "image-lingers": (Trial(lambda: [habits.ImageLingers(), habits.Made("Supermicro", "X12")]),),
    "iso-config": (Trial(lambda: [Shelf(), habits.MountsItsOwnWay()], _no_slot("IsoConfig")),),
    "insert-by-patch": (
        Trial(lambda: [Shelf(of_manager=(Slot("EXT1"),), patched=True)], _only("EXT1")),
        Trial(
            lambda: [habits.WantsEtag(), Shelf(of_manager=(Slot("EXT1"),), patched=True)], lambda g, *_: whole_way(g)
        ),
    ),
    "foreign-slots": (
        Trial(
            lambda: [
                Shelf(of_manager=(Slot("RDOC1"), Slot("Remote1"), Slot("EXT1")), patched=True),
                habits.Made("Lenovo", "ThinkSystem SR650"),
            ],
            _only("EXT1"),
        ),
    ),
    "no-members": (Trial(lambda: [Shelf()], _no_slot("no slot takes a CD")),),
    "boot-order-restored": (Trial(lambda: [Register()], _no_more_than_asked),),
    "https-only": (Trial(list, _is_https),),
    "boot-in-one": (Trial(lambda: [Register(whole=True), habits.Made("American Megatrends")]),),
    "https-media": (Trial(lambda: [habits.Refuses("POST", habits.INSERT, 400, 9, _HTTPS)], _says_what_it_says),),
    "console-slots": (Trial(_console_shelf, _only("a", "b", "c", "d")),),
    "dvd-only": (Trial(lambda: [Shelf(of_manager=(Slot("1", ("Floppy",)), Slot("2", ("DVD",))))], _only("2")),),
    "once-lasts": (Trial(list),),
}

EACH = [(quirk.name, number) for quirk in QUIRKS for number in range(len(TRIALS.get(quirk.name, ())))]
WITH_AN_ENTRY = [(name, number) for name, number in EACH if next(q for q in QUIRKS if q.name == name).sets]


def test_each_row_is_tried() -> None:
    """No row without a trial, no trial without a row, and no habit that no row sets."""
    assert [quirk.name for quirk in QUIRKS] == list(TRIALS)
    named = {name for quirk in QUIRKS for name in quirk.sets}
    assert {flag.name for flag in Habits.__attrs_attrs__} == named


@pytest.mark.parametrize(("name", "number"), EACH)
def test_prov_gets_along_with_it(ask: Ask, disc: str, name: str, number: int) -> None:
    """What the row says that prov does about it leads to what is wanted."""
    trial = TRIALS[name][number]
    made = trial.makes()
    bed, bmc = ask(*made, now=_Steps())
    trial.run(Ground(bed, bmc, disc), *made)


@pytest.mark.parametrize(("name", "number"), WITH_AN_ENTRY)
@pytest.mark.parametrize("others", [True, False], ids=["with the other rows", "with none"])
def test_without_its_row_it_fails(ask: Ask, disc: str, name: str, number: int, others: bool) -> None:
    """So each row is needed; one that takes back what another row says is needed only beside that."""
    trial = TRIALS[name][number]
    made = trial.makes()
    left = tuple(quirk for quirk in QUIRKS if quirk.name != name) if others or name == "usb-cd-not" else ()
    bed, bmc = ask(*made, quirks=left, now=_Steps())
    with pytest.raises((AssertionError, ProvError)):
        trial.run(Ground(bed, bmc, disc), *made)


@pytest.mark.parametrize(
    ("firmware", "generation"), [("6.10.30.00", "15G Monolithic"), ("1.20.25.00", "17G Monolithic")]
)
def test_newer_idracs_boot_from_media_as_others_do(ask: Ask, disc: str, firmware: str, generation: str) -> None:
    """The numbers of firmware began again with iDRAC10; the standard override is what these know."""
    idrac = Idrac(firmware, generation)
    bed, bmc = ask(idrac)
    _plain_cd(Ground(bed, bmc, disc), idrac)


def test_an_idrac_without_such_attributes_is_asked_as_others_are(ask: Ask, disc: str) -> None:
    """Where the names are not there, the standard override is tried."""
    idrac = Idrac("5.10.50.00", attributes={})
    bed, bmc = ask(idrac)
    _plain_cd(Ground(bed, bmc, disc), idrac)


def test_a_source_that_a_bmc_does_not_know_is_named(ask: Ask) -> None:
    """With what it knows, and another way to go."""
    _, bmc = ask(Register(allowed=("Pxe", "Hdd")))
    with pytest.raises(OperatorNeeded, match="cannot boot its machine from there") as caught:
        bmc.boot_from("http", "http://10.0.0.1/disc.efi")
    assert "Pxe, Hdd" in caught.value.detail


def test_a_bmc_that_does_not_know_its_power_is_asked_again(ask: Ask) -> None:
    """Nothing is taken for off that only may be."""
    _, bmc = ask(habits.KnowsNoPower())
    with pytest.raises(Retry, match="does not know whether its machine is on"):
        bmc.facts()


def test_the_url_of_a_disc_takes_no_part_of_its_host(disc: str) -> None:
    """It is a plain path that ends in .iso."""
    assert disc.endswith(".iso")
    assert set("?&=") & set(disc) == set()


class _Steps:
    """A clock that goes on by a third of a slot's patience with each look at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += LATE_S / 9
        return self.now


class _Clock:
    """A context whose clock goes on by a minute with every question."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(minutes=1)
        return self.time

    def say(self, text: str) -> None:
        """Nobody listens."""


def _given_back(bed: BmcBed) -> None:
    """What `prov destroy` does with a host, from the first call to the last."""
    props = HostProps(
        host="r1u1",
        address="10.1.0.1",
        bmc=bed.address,
        username="admin",
        password=Secret("hunter2"),
        image="metal.iso",
        user_data=Secret("config"),
        authority="Y2E=",
        authority_key=Secret("a2V5"),
    )
    job: Job[HostProps, HostOutputs] = Job("key", 1, Address("metal.host", "control-1"), id="r1u1", applied=props)
    client, clock = Client(MetalSettings(serve="127.0.0.1:1")), _Clock()
    for _ in range(10 * TRIES):
        answer = HostKind().delete(client, job, clock)  # type: ignore[arg-type]
        if isinstance(answer, Done):
            return
        job = evolve(job, id=answer.id, phase=answer.phase, memo=answer.memo)
    raise AssertionError("it does not come to an end")
