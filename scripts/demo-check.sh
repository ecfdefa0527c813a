#!/bin/sh
# Runs the demo as a newcomer would, with a simulator of its own, and takes everything down again.
set -eu
cd "$(dirname "$0")/.."
PROV_SIM_DIR="$(mktemp -d)"
export PROV_SIM_DIR
prov="$PWD/.venv/bin/prov"
example=examples/first-cluster
finish() {
  "$prov" sim stop >/dev/null 2>&1 || true
  rm -rf "$PROV_SIM_DIR" "$example/.prov"
}
trap finish EXIT
if [ -e "$example/.prov" ]; then echo "error: $example/.prov is in use; destroy that cluster first" >&2; trap - EXIT; exit 1; fi
make --no-print-directory demo
PROV_AGE_KEY_FILE="$example/.prov/age.key" "$prov" destroy --yes -f "$example/cluster.yaml"
"$prov" sim list --json | .venv/bin/python -c 'import json, sys; sys.exit(bool(json.load(sys.stdin)["machines"]))'
echo "the demo works, and nothing is left of it"
