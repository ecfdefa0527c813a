"""The `TimeSyncConfig` document: where a machine has the time from.

Source: siderolabs/talos v1.14, `types/network/time_sync.go`; for the root document `TimeConfig` of v1.11.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import strip_origins
from provisioner.talos.settings.forms import DEVICE, DURATION, FLAG, SERVER, SWITCH, is_address
from provisioner.talos.settings.section import (
    Complaint,
    Document,
    Section,
    Settings,
    Target,
    document,
    items,
    plain,
    present,
    table,
)
from provisioner.talos.settings.shape import Key, Many, Table

_TIME = Key(
    Table(
        {
            "servers": Key(Many(SERVER), "time servers"),
            "devices": Key(Many(DEVICE), "clocks of the host, such as `/dev/ptp0`; instead of servers"),
            "nts": Key(FLAG, "whether servers are asked in a secured way", needs=lambda c: c.secured_time),
            "enabled": Key(SWITCH, "false where something else keeps the clock"),
            "boot_timeout": Key(DURATION, "how long booting waits for the time"),
        }
    ),
    "where the machine has the time from",
)


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    time = table(settings, "time")
    if not time:
        return
    enabled, timeout = time.get("enabled"), time.get("boot_timeout")
    servers, devices = items(time, "servers"), items(time, "devices")
    if target.contract.time_document:
        ntp = present(servers=servers or None, useNTS=time.get("nts"))
        ptp = present(devices=devices or None)
        yield document("TimeSyncConfig", enabled=enabled, bootTimeout=timeout, ntp=ntp, ptp=ptp)
        return
    disabled = None if plain(time, "enabled") is None else plain(time, "enabled") is False
    fields = present(disabled=disabled, servers=(servers + devices) or None, bootTimeout=timeout)
    yield {"machine": {"time": fields}}


def _judge(settings: Settings) -> Iterator[Complaint]:
    time = table(settings, "time")
    if "devices" in time and ("servers" in time or "nts" in time):
        yield Complaint(("time", "devices"), "the time comes from servers or from devices", "take one of them out")
    for number, server in enumerate(items(time, "servers")):
        text = strip_origins(server)
        if plain(time, "nts") is True and isinstance(text, str) and is_address(text):
            yield Complaint(
                ("time", "servers", number), "secured time needs the server's name", "write its host name"
            )


TIME = Section({"time": _TIME}, _compile, _judge)
