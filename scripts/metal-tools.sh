#!/bin/sh
# Installs what the test bed of racked servers needs, where it is missing (Debian; needs root for that).
# The emulators of BMCs have an environment of their own, build/metal/tools: what they need is no part of prov.
set -eu
cd "$(dirname "$0")/.."
scripts/image-tools.sh
missing=""
for pair in libvirtd:libvirt-daemon virsh:libvirt-clients ipmi_sim:openipmi ipmitool:ipmitool dnsmasq:dnsmasq-base \
  qemu-img:qemu-utils ip:iproute2 unshare:util-linux; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
[ -e /usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so ] ||
  missing="$missing libvirt-daemon-driver-qemu"
[ -e /usr/lib/ipxe/ipxe.efi ] || missing="$missing ipxe"
[ -e /usr/lib/ipxe/qemu/efi-virtio.rom ] || missing="$missing ipxe-qemu"
/usr/bin/python3 -c 'import libvirt' 2>/dev/null || missing="$missing python3-libvirt"
/usr/bin/python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
# libvirt looks for these accounts before it reads which ones it shall use.
getent group libvirt-qemu >/dev/null || groupadd --system libvirt-qemu
getent passwd libvirt-qemu >/dev/null ||
  useradd --system --gid libvirt-qemu --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin libvirt-qemu

# DMTF's validator pins what others need in other versions, so it has an environment of its own.
validator="redfish-interop-validator==3.0.4"
if [ "$(cat build/metal/interop/installed 2>/dev/null)" != "$validator" ]; then
  mkdir -p build/metal
  /usr/bin/python3 -m venv --clear build/metal/interop
  build/metal/interop/bin/python -m pip install --quiet --disable-pip-version-check "$validator"
  echo "$validator" >build/metal/interop/installed
fi
wanted="sushy-tools==2.2.0 virtualbmc==3.3.0 pyghmi==1.6.19"
tools="build/metal/tools"
if [ "$(cat "$tools/installed" 2>/dev/null)" != "$wanted" ]; then
  mkdir -p build/metal
  /usr/bin/python3 -m venv --clear --system-site-packages "$tools"
  # shellcheck disable=SC2086
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
  echo "$wanted" >"$tools/installed"
fi
