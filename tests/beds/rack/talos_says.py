"""What firmware, kernel and Talos write on a serial console, as real ones do.

The texts are facts, taken down where they are printed:

firmware  OVMF's boot manager (BdsDxe, PXE and HTTP drivers) in edk2, as seen on the serial port of virtual machines
kernel    Linux: panic.c, rtc/class.c, scsi/sd.c, blk-core.c
Talos     siderolabs/talos, internal/app/machined: pkg/controllers/config/acquire.go (configuration),
          pkg/runtime/v1alpha1/v1alpha1_controller.go and v1alpha1_sequencer_tasks.go (phases, tasks, installation),
          pkg/runtime/v1alpha1/platform/metal/metal.go and platform/internal/blockutils (configuration on a disc),
          pkg/controllers/runtime/maintenance_service_inform.go (addresses, fingerprint), pkg/download (URLs),
          pkg/system/services/etcd.go; internal/pkg/install/install.go; internal/pkg/ntp/ntp.go
"""

from __future__ import annotations

import json

CD, DISK, PXE, HTTP = "UEFI QEMU DVD-ROM QM00003 ", "UEFI QEMU QEMU HARDDISK ", "UEFI PXEv4", "UEFI HTTPv4"
_PATHS = {
    CD: "PciRoot(0x0)/Pci(0x1F,0x2)/Sata(0x2,0xFFFF,0x0)",
    DISK: "PciRoot(0x0)/Pci(0x2,0x0)/Scsi(0x0,0x0)",
    PXE: "PciRoot(0x0)/Pci(0x3,0x0)/MAC({mac},0x1)/IPv4(0.0.0.0,0x0,DHCP,0.0.0.0,0.0.0.0,0.0.0.0)",
    HTTP: "PciRoot(0x0)/Pci(0x3,0x0)/MAC({mac},0x1)/IPv4(0.0.0.0,0x0,DHCP,0.0.0.0,0.0.0.0,0.0.0.0)/Uri()",
}

_DOWNLOADING = {"component": "controller-runtime", "controller": "config.AcquireController", "platform": "metal"}
INITIALIZE = (
    "[talos] [initramfs] booting Talos v1.13.9",
    "[talos] [initramfs] mounting the rootfs",
    "[talos] [initramfs] entering the rootfs",
    "[talos] initialize sequence: 8 phase(s)",
    f"[talos] downloading config {json.dumps(_DOWNLOADING)}",
)
INSTALL = (
    "[talos] install sequence: 3 phase(s)",
    "[talos] phase install (2/3): 1 tasks(s)",
    "[talos] task install (1/1): starting",
    "[talos] task install (1/1): waiting for the image cache",
)
INSTALLED = (
    "[talos] task install (1/1): install successful",
    "[talos] phase install (2/3): done, 30.1s",
    "[talos] reboot sequence: 5 phase(s)",
)
BOOTED = (
    "[talos] boot sequence: 13 phase(s)",
    "[talos] service[machined](Running): Service started as goroutine",
)
_HALTED = (
    "Talos is already installed to disk but booted from another media and talos.halt_if_installed kernel parameter "
    "is set. Please reboot from the disk."
)
HALTS = (
    "[talos] [initramfs] booting Talos v1.13.9",
    "[talos] initialize sequence: 8 phase(s)",
    "[talos] phase haltIfInstalled (5/8): 1 tasks(s)",
    "[talos] task haltIfInstalled (1/1): starting",
    f"[talos] task haltIfInstalled (1/1): {_HALTED}",
)
"""The kernel argument is on discs that the Image Factory makes (siderolabs/talos 9244), and on no other image."""
FOREIGN = ("Booting `Debian GNU/Linux'", "Loading Linux 6.1.0-28-amd64 ...", "debian login: ")
"""What an operating system that was there before says."""


PXE_BEGINS = (">>Start PXE over IPv4.",)
PXE_NO_OFFER = ("  PXE-E16: No valid offer received.",)
PXE_NO_FILE = (
    "  Station IP address is {address}",
    "  NBP filename is ipxe.efi",
    "  PXE-E18: Server response timeout.",
)
"""edk2, MdeModulePkg/Universal/Network/UefiPxeBcDxe and NetworkPkg: PxeBcBoot.c"""
HTTP_BEGINS = (">>Start HTTP Boot over IPv4.....",)
HTTP_FAILS = ("  Error: Could not retrieve NBP file size from HTTP server.", "", "  Error: Server response timeout.")
"""edk2, NetworkPkg/HttpBootDxe/HttpBootClient.c"""
IPXE = ("iPXE initialising devices...ok", "iPXE 1.21.1+ -- Open Source Network Boot Firmware -- https://ipxe.org")


def ipxe_fetch(url: str, status: int = 200) -> str:
    """A line of iPXE about a download; its errors are pages of ipxe.org."""
    if status == 200:
        return f"{url}... ok"
    return f"{url}... No such file or directory (https://ipxe.org/2d0c618e)"


def not_downloaded(url: str, status: int, why: str) -> str:
    """Talos did not get its configuration (pkg/download, retries are logged)."""
    reason = f'failed to download config, status code {status}, body ""' if status else f'Get "{url}": {why}'
    return f'[talos] retrying error: failed to download config from "{url}": {reason}'


def loading(option: str, number: int, mac: str = "") -> str:
    """The firmware tries a boot option; `mac` as twelve hexadecimal digits."""
    return f'BdsDxe: loading Boot{number:04X} "{option}" from {_PATHS[option].format(mac=mac)}'


def starting(option: str, number: int, mac: str = "") -> str:
    return f'BdsDxe: starting Boot{number:04X} "{option}" from {_PATHS[option].format(mac=mac)}'


def failed(option: str, number: int, why: str, mac: str = "") -> str:
    """Why: `Not Found`, `Access Denied` where secure boot refuses it, `Time out`."""
    return f'BdsDxe: failed to load Boot{number:04X} "{option}" from {_PATHS[option].format(mac=mac)}: {why}'


NO_CONFIG_DISC = (
    "error acquiring via platform metal: failed to find volume with machine configuration "
    '(volume.label in ["metal-iso"] || volume.partition_label in ["metal-iso"]) && volume.name != "": '
    "file does not exist"
)
NOTHING_BOOTS = "BdsDxe: No bootable option or device was found."


def controller_failed(controller: str, error: str) -> str:
    """A controller of the runtime met an error, and will try again."""
    said = {"component": "controller-runtime", "controller": controller, "error": error}
    return f"[talos] controller failed {json.dumps(said)}"


def from_disc(device: str) -> str:
    """The configuration was found on the disc."""
    return f'[talos] read machine config from volume: {device} (filesystem "iso9660", UUID "", size 20 MB)'


def fetching(url: str) -> str:
    """The configuration is asked for by HTTP."""
    return f'[talos] fetching machine config from: "{url}"'


def reachable(*addresses: str) -> tuple[str, ...]:
    """Where the machine says that it can be reached."""
    lead = '{"component": "controller-runtime", "controller": "runtime.MaintenanceServiceController"}'
    return (
        f"[talos] this machine is reachable at: {lead}",
        *(f"[talos] \t{address} {lead}" for address in addresses),
    )


def install_failed(why: str) -> tuple[str, ...]:
    """The installation ends, and the machine waits before it starts over."""
    hint = "You can use talosctl apply-config or talosctl edit mc to fix the issues, error:"
    return (
        f"[talos] task install (1/1): install failed, rebooting in 35 minutes. {hint}",
        why,
        f"[talos] task install (1/1): failed: {why}",
    )
