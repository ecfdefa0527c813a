#!/bin/sh
# Makes the example cluster in an account of yours, looks whether it is well, and takes it down again.
# It costs money: five machines and a balancer for about a quarter of an hour. What is left, if anything, is listed.
#
#   AWS_PROFILE=sandbox scripts/aws-real.sh eu-west-1
set -eu
cd "$(dirname "$0")/.."
region="${1:-}"
if [ -z "$region" ]; then
  echo "usage: scripts/aws-real.sh REGION" >&2
  exit 1
fi
prov="$PWD/.venv/bin/prov"
python="$PWD/.venv/bin/python"
inventory="$PWD/tests/beds/aws/inventory.py"
operator="${OPERATOR:-$(curl -fsS https://checkip.amazonaws.com)/32}"
work="$(mktemp -d)"
echo "the cluster's files are in $work; they are needed until it is gone" >&2

sed -e "s|region: eu-west-1|region: $region|" -e 's|nodes: private.*|nodes: public|' -e '/nat: each/d' \
  examples/aws-ha/cluster.yaml >"$work/cluster.yaml"
cd "$work"
export PROV_AGE_KEY_FILE="$work/age.key"
"$prov" keys create --out "$PROV_AGE_KEY_FILE"
before="$("$python" "$inventory" "$region")"

destroy() {
  "$prov" destroy --yes --var "operator=$operator"
}
trap 'echo "run this to take it down: cd $work && PROV_AGE_KEY_FILE=age.key $prov destroy" >&2' EXIT
"$prov" apply --yes --var "operator=$operator"
"$prov" plan --var "operator=$operator"
"$prov" status
destroy
trap - EXIT

after="$("$python" "$inventory" "$region")"
if [ "$before" != "$after" ]; then
  echo "something is left behind, or somebody else has worked there meanwhile:" >&2
  printf '%s\n' "$before" >before.json
  printf '%s\n' "$after" >after.json
  diff before.json after.json || true
  exit 1
fi
rm -rf "$work"
echo "a cluster came and went in $region, and nothing is left behind"
