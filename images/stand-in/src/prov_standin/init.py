"""The first process: from an empty root to a machine that serves its API."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from prov_standin import efi, kernel, network, sources, volumes
from prov_standin.console import say
from prov_standin.disk import SystemDisk, wait_for
from prov_standin.network import Network, Setup
from prov_standin.release import release
from prov_standin.sources import Found, Platform

MODULES: Final = Path("/usr/lib/modules")

_DISKS_S: Final = 5.0
_PANIC_S: Final = 3.0
_PROVE_S: Final = 180.0
_SILENT_S: Final = 5.0


def main() -> None:
    """Never returns: a machine that cannot go on says why and reboots, as a panic would."""
    try:
        _mount()
        asyncio.run(_live())
    except BaseException:
        say("panic: " + traceback.format_exc().replace("\n", "\r\n"))
        time.sleep(_PANIC_S)
        kernel.power("reboot")


def _mount() -> None:
    """Mounts what the kernel shows, gives everything that is written a place in memory, and seals the root."""
    for source, target, kind in (("proc", "/proc", "proc"), ("sys", "/sys", "sysfs"), ("run", "/run", "tmpfs")):
        kernel.mount(source, target, kind)
    with contextlib.suppress(OSError):
        kernel.mount("dev", "/dev", "devtmpfs")
    console = os.open("/dev/console", os.O_RDWR | os.O_NOCTTY)
    for number in (0, 1, 2):
        os.dup2(console, number)
    Path("/run/etc").mkdir()
    Path("/run/etc/hosts").write_text("127.0.0.1 localhost\n")
    kernel.seal_root()


async def _live() -> None:
    signal.signal(signal.SIGCHLD, lambda number, frame: _reap())
    image, arguments = release(), kernel.command_line()
    say(f"{image.system} {image.version} {image.platform} begins")
    for refused in kernel.load_modules(MODULES):
        say(f"module {refused}")
    platform_name = (arguments.get("talos.platform") or [image.platform])[-1]
    slot = (arguments.get("standin.slot") or [""])[-1]
    say(f"boot slot {slot or 'none'}")
    if image.flaw == "boot":
        raise RuntimeError("this image fails on purpose")
    for name in sources.unread(arguments):
        say(f"config {name} is not read by a stand-in")
    wait_for(lambda: any(item.is_disk for item in volumes.devices()), _DISKS_S)
    kept = _kept_configuration()
    platform = Platform() if kept else await asyncio.to_thread(sources.look, platform_name, arguments)
    net = _bring_up(kept, platform, arguments)
    found = Found("disk", kept) if kept else platform.found
    if found is None and platform.url:
        hostname = platform.hostname or net.hostname
        found = await asyncio.to_thread(sources.fetch, platform, hostname)
        net = _again(found, net, arguments)
    _tell(found)
    if image.flaw == "silent":
        say("this image stays silent on purpose")
        await _watch(slot, lambda: False, _SILENT_S)
        return
    from prov_standin.begin import begin  # the libraries take most of the time until here

    machine = begin(image, platform_name, slot, net, found)
    await _watch(slot, lambda: machine.proved, _PROVE_S)


async def _watch(slot: str, proved: Callable[[], bool], seconds: float) -> None:
    """Reboots a system on trial that does not come up, so that the boot loader takes the other one."""
    await asyncio.sleep(seconds)
    if not proved() and _on_trial(slot):
        say(f"slot {slot} does not come up")
        kernel.power("reboot")
    await asyncio.Event().wait()


def _on_trial(slot: str) -> bool:
    system = SystemDisk.find()
    if system is None:
        return False
    with efi.slots(system.efi()) as slots:
        entry = slots.entries().get(slot)
    return entry is not None and entry.tries is not None


def _kept_configuration() -> str:
    system = SystemDisk.find()
    return str(system.read("STATE").get("config", "")) if system is not None else ""


def _bring_up(kept: str, platform: Platform, arguments: Mapping[str, list[str]]) -> Network:
    wanted, servers, hostname = network.from_arguments(arguments)
    text = kept or (platform.found.text if platform.found is not None else "")
    configured, more = network.from_config(sources.documents(text))
    net = network.bring_up({**wanted, **platform.interfaces, **configured}, [*servers, *platform.servers, *more])
    net.hostname = hostname or platform.hostname or net.hostname
    return net


def _again(found: Found, net: Network, arguments: Mapping[str, list[str]]) -> Network:
    """The network once more where a configuration that came over it wants it otherwise."""
    configured, _ = network.from_config(sources.documents(found.text))
    if not any(setup != Setup() for setup in configured.values()):
        return net
    return _bring_up(found.text, Platform(), arguments)


def _tell(found: Found | None) -> None:
    if found is None or not found.text:
        say("config none")
    else:
        say(f"config from {found.source} sha256 {hashlib.sha256(found.text.encode()).hexdigest()}")


def _reap() -> None:
    """Takes leave of processes whose parents are gone."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    sys.exit("this is the first process of an image")
