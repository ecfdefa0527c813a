"""The toy provider does what tests of the core rely on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, evolve, field

from provisioner.conformance.toy import Client, Cloud, DiskProps, ServerProps, ThingProps, ToyProvider, UploadProps
from provisioner.sdk import (
    ABSENT,
    Absent,
    Address,
    Done,
    Fatal,
    FieldChange,
    Finished,
    Job,
    Limits,
    Pending,
    Run,
    Seen,
    Update,
    Working,
)

KINDS: Any = ToyProvider.kinds
SERVER = Address("toy.server", "s")


@define
class Now:
    """A context with a task that ends when it is told to."""

    tasks: dict[str, Any] = field(factory=dict)

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def say(self, text: str) -> None: ...

    def cancelled(self) -> bool:
        return False

    def task(self, name: str, work: Any) -> Any:
        if name not in self.tasks:
            self.tasks[name] = work
            return Working()
        return Finished(self.tasks.pop(name)())


def job(address: str, wanted: Any = None, **more: Any) -> Any:
    found = Address.parse(address)
    return Job(
        **{"key": f"key-{found.name}", "generation": 1, "address": found, "wanted": wanted, "lineage": "L", **more}
    )


@pytest.fixture
def client() -> Client:
    return Client(Cloud(), "here")


def test_a_disk_of_a_later_generation_has_a_name_of_its_own(client: Client) -> None:
    """So the next one can be made before the last goes, and two of one name are a conflict."""
    disks = KINDS["toy.disk"]
    disks.create(client, job("toy.disk/d", DiskProps()), Now())
    with pytest.raises(Fatal):
        disks.create(client, job("toy.disk/d", DiskProps(2), key="other"), Now())
    disks.create(client, job("toy.disk/d", DiskProps(2), key="other", generation=2), Now())

    assert client.cloud.remotes() == ["d", "d-g2"]


def test_a_server_is_taken_up_release_by_release() -> None:
    changes = (FieldChange(("size",), 1, 2), FieldChange(("version",), 1, 3))
    update = Update(address=SERVER, provider="toy", wanted={"version": 3, "size": 2}, changes=changes)

    steps = KINDS["toy.server"].expand(update)

    assert [step.id.partition("/s#")[2] for step in steps] == (
        ["snapshot", "drain", "2", "reboot-2", "3", "reboot-3", "uncordon"]
    )
    assert [dict(step.wanted) for step in steps if isinstance(step, Update)] == [
        {"version": 2, "size": 2},
        {"version": 3, "size": 2},
    ]
    assert [step.action for step in steps if isinstance(step, Run)] == (
        ["snapshot", "drain", "reboot", "reboot", "uncordon"]
    )


@pytest.mark.parametrize(
    "change",
    [FieldChange(("size",), 1, 2), FieldChange(("version",), 3, 2), FieldChange(("version",), ABSENT, 2)],
)
def test_other_changes_of_a_server_take_one_step(change: FieldChange) -> None:
    update = Update(address=SERVER, provider="toy", wanted={}, changes=(change,))

    assert KINDS["toy.server"].expand(update) == [update]


def test_a_server_skips_no_release(client: Client) -> None:
    KINDS["toy.server"].create(client, job("toy.server/s", ServerProps(1)), Now())

    with pytest.raises(Fatal):
        KINDS["toy.server"].update(client, job("toy.server/s", ServerProps(3)), Now())


def test_a_server_reboots_once_however_often_it_is_called_for(client: Client) -> None:
    """The phase on record tells how often it had booted before."""
    kind, told = KINDS["toy.server"], job("toy.server/s", how="reboot")
    kind.create(client, job("toy.server/s", ServerProps()), Now())
    asking = kind.run(client, told, Now())
    told = evolve(told, phase=asking.phase, memo=asking.memo)
    for _ in range(3):
        answer = kind.run(client, told, Now())

    assert client.cloud.find("s").boots == 2
    assert answer == Done(kind.outputs("toy-1", 2))
    assert client.cloud.calls[1] == ("run:reboot", "s")


def test_what_actions_leave_can_be_seen(client: Client) -> None:
    kind = KINDS["toy.server"]
    kind.create(client, job("toy.server/s", ServerProps()), Now())
    for action in ("snapshot", "drain", "snapshot"):
        assert kind.run(client, job("toy.server/s", how=action), Now()) == Done(None)

    assert client.cloud.find("s").cordoned
    assert client.cloud.find("s").snapshots == [1]


def test_a_thing_made_by_hand_can_be_found_and_taken_over(client: Client) -> None:
    kind, cloud = KINDS["toy.thing"], client.cloud
    thing = cloud.plant(Address("toy.thing", "x"), ThingProps("x", size=3, label="old"))
    found = kind.find(client, [thing.id, "nobody"], Now())
    for _ in range(2):
        kind.adopt(client, job("toy.thing/a", id=thing.id), Now())

    assert (found[thing.id].props["size"], found[thing.id].props["label"]) == (3, "old")
    assert found["nobody"] == Absent()
    assert list(cloud.things) == ["key-a"]
    assert cloud.names() == ["a"]


def test_what_belongs_to_another_state_is_not_taken_over(client: Client) -> None:
    thing = client.cloud.plant(Address("toy.thing", "x"), ThingProps("x"), lineage="other")

    with pytest.raises(Fatal):
        KINDS["toy.thing"].adopt(client, job("toy.thing/a", id=thing.id), Now())


def test_an_image_is_looked_up(client: Client) -> None:
    kind = KINDS["toy.image"]
    client.cloud.images["talos"] = "sha256:1"
    found = kind.read(client, [job(f"toy.image/{name}", kind.props(name)) for name in ("talos", "none")], Now())

    assert found["key-talos"] == Seen({"name": "talos"}, {"id": "talos@sha256:1", "digest": "sha256:1"})
    assert found["key-none"] == Absent()


def test_an_upload_is_sent_by_a_task(client: Client) -> None:
    """And one that is there already is not sent again."""
    kind, told, ctx = KINDS["toy.upload"], job("toy.upload/u", UploadProps("u")), Now()

    assert isinstance(kind.create(client, told, ctx), Pending)
    assert client.cloud.names() == []
    assert isinstance(kind.create(client, told, ctx), Done)
    assert client.cloud.names() == ["u"]
    assert isinstance(kind.create(client, told, ctx), Done)
    assert ctx.tasks == {}


def test_the_host_of_a_thing_is_kept_in_lower_case(client: Client) -> None:
    kind, told = KINDS["toy.thing"], job("toy.thing/a", ThingProps("a", host="Host.Example"))
    kind.create(client, told, Now())
    kind.update(client, told, Now())

    assert client.cloud.find("a").props.host == "host.example"
    assert client.cloud.find("a").revision == 1


def test_limits_and_endpoints_come_from_settings_and_props() -> None:
    provider = ToyProvider()

    assert provider.limits({"in_flight": 2, "per_second": 5}) == Limits(2, 5.0)
    assert provider.limits({}) == Limits()
    assert provider.called_at(job("toy.thing/a", ThingProps("a", at="rack-1"))) == "rack-1"
    assert provider.called_at(job("toy.disk/d", DiskProps())) == ""


def test_a_call_can_be_cut_off_before_and_after_it_had_its_effect(client: Client) -> None:
    class Cut(Exception):
        pass

    def cut(moment: str, verb: str, about: Any) -> None:
        if (moment, verb) in (("after", "create"), ("before", "delete")):
            raise Cut

    client.cloud.watch = cut
    told = job("toy.thing/a", ThingProps("a"))
    with pytest.raises(Cut):
        KINDS["toy.thing"].create(client, told, Now())
    with pytest.raises(Cut):
        KINDS["toy.thing"].delete(client, told, Now())

    assert client.cloud.names() == ["a"]
    assert client.cloud.peaks == {"": 1}
