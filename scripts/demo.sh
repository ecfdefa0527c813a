#!/bin/sh
# The main job on the shipped example: from a file to a healthy cluster, and a plan that finds nothing to do.
set -eu
cd "$(dirname "$0")/.."
prov="$PWD/.venv/bin/prov"
cd examples/first-cluster
if [ -z "${PROV_AGE_KEY:-}${PROV_AGE_KEY_FILE:-}${SOPS_AGE_KEY_FILE:-}" ]; then
  PROV_AGE_KEY_FILE="$PWD/.prov/age.key"
  export PROV_AGE_KEY_FILE
  [ -e "$PROV_AGE_KEY_FILE" ] || "$prov" keys create --out "$PROV_AGE_KEY_FILE" >/dev/null
fi
if [ -e .prov/first.db ] && ! "$prov" sim list | grep -q "^first/"; then
  echo "The machines of an earlier demo are gone with their daemon; what is on record of them goes as well."
  "$prov" destroy --yes 2>/dev/null
fi
echo "\$ prov apply --yes"
"$prov" apply --yes
echo
echo "\$ prov plan"
"$prov" plan
echo
echo "\$ prov status"
"$prov" status
echo
echo "It stands on machines simulated in the memory of a small daemon. Go on in examples/first-cluster:"
if [ "${PROV_AGE_KEY_FILE:-}" = "$PWD/.prov/age.key" ]; then
  echo "  export PROV_AGE_KEY_FILE=\$PWD/.prov/age.key"
fi
echo "  ../../.venv/bin/prov sim list    the simulated machines themselves"
echo "  ../../.venv/bin/prov destroy     remove everything"
