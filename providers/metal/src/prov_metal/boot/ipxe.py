"""What iPXE is told to do, as scripts. Pure.

Source: https://ipxe.org/cmd; `initrd=` on the kernel's line is for UEFI, where a kernel finds its initramfs by name.
"""

from __future__ import annotations


def menu(base: str) -> str:
    """Sends a machine on to the script of the host that it is; one that nobody makes leaves for its next device."""
    return f"#!ipxe\nchain {base}/mac/${{netX/mac:hexhyp}}.ipxe || exit\n"


def boots(kernel: str, initramfs: str, arguments: str) -> str:
    """Boots Talos; `kernel` and `initramfs` are URLs. One that cannot be fetched is tried again after a while."""
    name = initramfs.rpartition("/")[2]
    return (
        "#!ipxe\n"
        ":again\n"
        "imgfree\n"
        f"kernel {kernel} initrd={name} {arguments} || goto late\n"
        f"initrd {initramfs} || goto late\n"
        "boot || goto late\n"
        ":late\n"
        "sleep 5\n"
        "goto again\n"
    )
