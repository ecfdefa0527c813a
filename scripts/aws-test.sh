#!/bin/sh
# The tests of AWS that take minutes or root: crashes and faults, then a whole cluster in a network namespace where
# 10.0.0.0/8 is local. Needs root for the latter; installs iproute2 where it is missing, and leaves nothing behind.
set -eu
cd "$(dirname "$0")/.."
python="$PWD/.venv/bin/python"

"$python" -m pytest -n 2 --dist worksteal -q -m "aws and not namespace" tests/aws tests/beds/aws providers/aws/tests

if [ "$(id -u)" -ne 0 ]; then
  echo "error: the test in a network namespace needs root" >&2
  echo "hint: run it as root, or leave it at the tests that have just passed" >&2
  exit 1
fi
if ! command -v ip >/dev/null 2>&1; then
  echo "installing iproute2" >&2
  apt-get install -y -q iproute2 >/dev/null
fi
namespace="prov-aws-$$"
files="/etc/netns/$namespace"
finish() {
  ip netns del "$namespace" 2>/dev/null || true
  rm -rf "$files"
  rmdir /etc/netns 2>/dev/null || true
}
trap finish EXIT
ip netns add "$namespace"
mkdir -p "$files" # what lies here takes the place of /etc/hosts and /etc/resolv.conf in the namespace
echo "127.0.0.1 localhost" >"$files/hosts"
echo "nameserver 127.0.0.1" >"$files/resolv.conf"
ip -n "$namespace" link set lo up
for network in 10.0.0.0/8 54.214.0.0/16; do # private addresses, and the public ones that the bed gives
  ip -n "$namespace" route add local "$network" dev lo
done
PROV_AWS_HOSTS=/etc/hosts ip netns exec "$namespace" "$python" -m pytest -q -m namespace tests/aws
