"""The daemon as a process: starting, stopping, and living beside others."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from prov_sim.control import Control, ControlError
from prov_sim.listing import NOTICE
from prov_sim.place import Place, place_of


def pid_of(place):
    """From the greeting."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place.socket))
        return json.loads(connection.makefile().readline())["pid"]


def test_asking_starts_nothing(tmp_path):
    control = Control(Place(tmp_path / "none" / "x.sock"))
    with pytest.raises(ControlError) as refused:
        control.ask("list")
    assert refused.value.code == "no-daemon"
    assert control.ask_if_running("list") == {}
    assert list(tmp_path.iterdir()) == []


def test_the_greeting_says_that_it_lives_in_memory(shared_sim):
    shared_sim.world()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(shared_sim.control.place.socket))
        assert json.loads(connection.makefile().readline())["notice"] == NOTICE
    assert "memory" in NOTICE


def test_only_its_owner_reaches_the_socket(shared_sim):
    shared_sim.world()
    assert stat.S_IMODE(shared_sim.control.place.socket.stat().st_mode) == 0o600


def test_many_clients_at_once_start_one_daemon(own_sim):
    found, place = [], own_sim.control.place

    def start():
        Control(place).call("show")
        found.append(pid_of(place))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_daemon_that_somebody_starts_just_now_is_waited_for(own_sim):
    """It has the right to be the daemon, and does not listen yet: no reason to fail, nor for a second one."""
    place, found = own_sim.control.place, []
    place.lock.parent.mkdir(exist_ok=True)
    with place.lock.open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        with pytest.raises(ControlError) as refused:
            own_sim.control.ask("show")
        call = threading.Thread(target=lambda: found.append(own_sim.world()["machines"]))
        call.start()
        while call.is_alive() and not place.log.exists():
            call.join(0.01)
    call.join()

    assert refused.value.code == "no-answer"
    assert found == [[]]


def test_who_stops_a_daemon_waits_where_it_starts_or_stops_just_now(own_sim):
    """Then it is told to, or is no more."""
    place, found = own_sim.control.place, []
    place.lock.parent.mkdir(exist_ok=True)
    with place.lock.open("w") as stopping:
        fcntl.flock(stopping, fcntl.LOCK_EX)
        stop = threading.Thread(target=lambda: found.append(own_sim.control.stop()))
        stop.start()
        stop.join(0.1)
        waits = stop.is_alive()
    stop.join()

    assert (waits, found) == (True, [False])


def test_a_daemon_stops_cleanly_and_leaves_no_socket(own_sim):
    own_sim.create("m")
    own_sim.wait("m", stage="maintenance")
    address = own_sim.machine("m")["address"]

    assert own_sim.control.stop()

    assert own_sim.control.ask_if_running("list") == {}
    assert not own_sim.control.place.socket.exists()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address, 50000)).close()
    assert "Traceback" not in own_sim.control.place.log.read_text()


def test_after_a_killed_daemon_nothing_exists_and_the_next_call_starts_another(own_sim, wait_until):
    own_sim.create("m")
    killed = pid_of(own_sim.control.place)
    os.kill(killed, signal.SIGKILL)

    def no_daemon():
        try:
            own_sim.control.ask("list")
        except ControlError as err:
            return err.code == "no-daemon"

    wait_until(no_daemon)

    assert own_sim.world()["machines"] == []
    assert pid_of(own_sim.control.place) != killed


def test_a_daemon_whose_socket_was_removed_ends(own_sim, tmp_path, wait_until):
    """Nobody could stop it any more; what waits longest here is its look at the socket, every few seconds."""
    own_sim.create("m")
    pid = pid_of(own_sim.control.place)
    own_sim.control.place.socket.unlink()

    wait_until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])


def test_daemons_side_by_side_never_share_an_address(sim, own_sim):
    for one in (sim, own_sim):
        for name in ("a", "b"):
            one.create(name)
            one.wait(name, stage="maintenance")

    addresses = [one.machine(name)["address"] for one in (sim, own_sim) for name in ("a", "b")]

    assert len(set(addresses)) == 4
    assert len({address.rpartition(".")[0] for address in addresses}) == 2
    for address in addresses:
        socket.create_connection((address, 50000)).close()


def test_a_freed_address_is_not_given_out_again_soon(sim):
    first = sim.create("a")["address"]
    sim.control.call("delete_machine", key="key-a", lineage="L")
    assert sim.create("a")["address"] != first


def test_a_long_path_is_no_obstacle(tmp_path):
    folder = tmp_path / ("long-" * 30)
    control = Control(Place(folder / "test.sock"))
    try:
        assert control.call("show")["machines"] == []
    finally:
        control.stop()


def test_a_cluster_of_three_and_two_costs_about_a_second_of_work(own_cluster):
    """All processor time of the daemon, its start included; twice the promise, for slow computers."""
    own_cluster.make("cp-1", "cp-2", "cp-3", "w-1", "w-2")

    pid = pid_of(own_cluster.sim.control.place)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    assert (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") < 2


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"PROV_SIM_DIR": "/a", "XDG_RUNTIME_DIR": "/b"}, "/a/d.sock"),
        ({"XDG_RUNTIME_DIR": "/b"}, "/b/prov-sim/d.sock"),
        ({}, f"/tmp/prov-sim-{os.getuid()}/d.sock"),
    ],
)
def test_where_the_socket_is(environment, expected):
    assert str(place_of("d", environment).socket) == expected


def test_a_second_daemon_for_the_same_socket_gives_way(shared_sim):
    shared_sim.world()
    place = shared_sim.control.place
    before = pid_of(place)
    command = [sys.executable, "-m", "prov_sim.daemon", "--socket", str(place.socket)]

    assert subprocess.run(command, check=False, timeout=100).returncode == 0

    assert pid_of(place) == before


def test_nonsense_is_refused_and_the_daemon_lives_on(sim):
    for request in ({}, {"name": "x"}):
        with pytest.raises(ControlError) as refused:
            sim.control.call("create_machine", **request)
        assert refused.value.code == "invalid"
    with pytest.raises(ControlError, match="no verb 'dance'"):
        sim.control.call("dance")
