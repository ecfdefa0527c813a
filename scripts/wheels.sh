#!/bin/sh
# Builds all wheels, installs them into an empty environment outside the checkout and works there:
# the shipped plans are planned, one is applied and destroyed.
set -eu
cd "$(dirname "$0")/.."
root="$PWD"
rm -rf dist
mkdir dist
for project in . providers/*/; do
  .venv/bin/python -m build --quiet --wheel --no-isolation --outdir dist "$project"
done
work="$(mktemp -d)"
export PROV_SIM_DIR="$work/sim" PROV_AGE_KEY_FILE="$work/age.key"
export BMC_PASSWORD=of-nobody # the plan for racks takes it from here; planning asks no BMC
finish() {
  [ -x "$work/env/bin/prov" ] && "$work/env/bin/prov" sim stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
if command -v uv >/dev/null 2>&1; then
  uv venv --quiet "$work/env"
  uv pip install --quiet --python "$work/env/bin/python" -c constraints.txt dist/*.whl
else
  .venv/bin/python -m venv "$work/env"
  "$work/env/bin/python" -m pip install --quiet -c constraints.txt dist/*.whl
fi
cd "$work"
"$work/env/bin/python" - <<'EOT'
import importlib.util, sys
stray = [name for name in ("providers", "plans", "tests", "examples", "scripts") if importlib.util.find_spec(name)]
sys.exit(f"the wheels install {', '.join(stray)} at top level" if stray else 0)
EOT
prov="$work/env/bin/prov"
"$prov" keys create --out "$PROV_AGE_KEY_FILE" >/dev/null 2>&1
"$prov" init --list
for plan in $("$prov" init --list | tail -n +2 | cut -d' ' -f1); do
  "$prov" init "$plan" --into "$work/$plan"
  code=0
  "$prov" plan -f "$work/$plan/cluster.yaml" >"$work/plan.txt" || code=$?
  [ "$code" -eq 2 ] || { cat "$work/plan.txt"; echo "planning $plan ended with $code" >&2; exit 1; }
done
"$prov" apply --yes -f "$work/single-node/cluster.yaml" >"$work/apply.txt" 2>&1 || { cat "$work/apply.txt"; exit 1; }
"$prov" destroy --yes -f "$work/single-node/cluster.yaml" >"$work/destroy.txt" 2>&1 || { cat "$work/destroy.txt"; exit 1; }
echo "wheels work outside the checkout: $(cd "$root/dist" && echo *.whl)"
