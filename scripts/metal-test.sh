#!/bin/sh
# The tests of racked servers: real virtual machines behind emulated BMCs, in a network, a mount and a process
# namespace of their own. However the tests end, the kernel then ends everything that was started in there, and
# network, disks and sockets are gone with it. Needs root. Arguments go to pytest, in one bed.
set -eu
cd "$(dirname "$0")/.."
if [ "$(id -u)" -ne 0 ]; then
  echo "error: namespaces and virtual machines on a bridge need root" >&2
  echo "hint: run it as root; make test has the tests before emulated BMCs without machines" >&2
  exit 1
fi
scripts/metal-tools.sh
PYTHONPATH=tests .venv/bin/python -c 'from fakes.yard import built; built()'
mkdir -p build/metal/cache /etc/libvirt /var/lib/libvirt /var/cache/libvirt /run/libvirt /run/netns
bed() {
  unshare --mount --net --pid --fork --kill-child --mount-proc sh -eu -c '
    for folder in /etc/libvirt /var/lib/libvirt /run/libvirt /run/netns; do mount -t tmpfs tmpfs "$folder"; done
    mount -t sysfs sysfs /sys
    mount --bind build/metal/cache /var/cache/libvirt # what libvirt found out about qemu, which takes it 8 seconds
    ip link set lo up
    ip link add br0 type bridge
    ip address add 10.77.0.1/24 dev br0
    ip link set br0 up
    PROV_METAL_BED=build/metal/tools/bin .venv/bin/python -m pytest -q -m metal "$@"
  ' sh "$@"
}
if [ $# -gt 0 ]; then
  bed "$@"
  exit
fi
# Machines wait for each other more than they work, so two beds share the tests.
folder=tests/metal
set -- "$folder/test_metal_proxy.py" "$folder/test_metal_alone.py" \
  "$folder/test_metal_media.py::test_a_run_that_is_killed_at_every_step_installs_once"
other="$(mktemp)"
trap 'rm -f "$other"' EXIT
bed "$@" >"$other" 2>&1 &
ended=0
bed $(printf -- '--deselect %s ' "$@") || ended=$?
wait $! || ended=$?
cat "$other"
exit "$ended"
