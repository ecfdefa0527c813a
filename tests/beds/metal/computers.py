"""Other computers at the network of the bed: each a network namespace, with a cable to the bridge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from beds.metal.machines import run


@contextmanager
def computer(name: str, address: str) -> Iterator[tuple[str, ...]]:
    """A computer with this address; the words that have a program run there. Its name has eight letters at most."""
    cable = f"{name}-cable"
    for words in (
        f"netns add {name}",
        f"link add {cable} type veth peer name eth0 netns {name}",
        f"link set {cable} master br0 up",
        f"-n {name} link set lo up",
        f"-n {name} address add {address}/24 dev eth0",
        f"-n {name} link set eth0 up",
    ):
        run("ip", *words.split())
    try:
        yield ("ip", "netns", "exec", name)
    finally:
        run("ip", "netns", "delete", name)
