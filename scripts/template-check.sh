#!/bin/sh
# Does with examples/provider-template what a third party would: builds the wheels of the core and of the template,
# installs them into an empty environment outside the checkout, runs the template's tests there, and plans, applies,
# changes and destroys with it.
set -eu
cd "$(dirname "$0")/.."
root="$PWD"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -r examples/provider-template "$work/prov-acme"
for project in . "$work/prov-acme"; do
  .venv/bin/python -m build --quiet --wheel --no-isolation --outdir "$work/wheels" "$project"
done
if command -v uv >/dev/null 2>&1; then
  uv venv --quiet "$work/env"
  uv pip install --quiet --python "$work/env/bin/python" -c constraints.txt pytest "$work"/wheels/*.whl
else
  .venv/bin/python -m venv "$work/env"
  "$work/env/bin/python" -m pip install --quiet -c constraints.txt pytest "$work"/wheels/*.whl
fi

rm -rf "$work/prov-acme/src" # what is tested is what was installed
cd "$work/prov-acme"
"$work/env/bin/python" -m pytest -q

prov="$work/env/bin/prov"
export ACME_TOKEN=anything PROV_AGE_KEY_FILE="$work/age.key"
"$prov" keys create --out "$PROV_AGE_KEY_FILE" >/dev/null 2>&1
"$prov" providers | grep -q '^acme ' || { echo "prov does not find the provider" >&2; exit 1; }

# expect CODE COMMAND…: the command ends with this code.
expect() {
  wanted="$1"
  shift
  code=0
  "$@" >"$work/said.txt" 2>&1 || code=$?
  [ "$code" -eq "$wanted" ] || { cat "$work/said.txt"; echo "$* ended with $code instead of $wanted" >&2; exit 1; }
}
expect 2 "$prov" plan
expect 0 "$prov" apply --yes
expect 0 "$prov" plan
sed -i 's/size_gib: 20/size_gib: 30/' cluster.yaml
expect 2 "$prov" plan
expect 0 "$prov" apply --yes
expect 0 "$prov" plan
expect 0 "$prov" destroy --yes
expect 2 "$prov" plan
ACME_TOKEN="" expect 1 "$prov" apply --yes
grep -q 'set ACME_TOKEN' "$work/said.txt" || { cat "$work/said.txt"; echo "no remedy for missing credentials" >&2; exit 1; }
cd "$root"
echo "the provider template works outside the checkout"
