#!/bin/sh
# Generates the Talos message code from our interface description, in place; with --check only compares.
set -eu
cd "$(dirname "$0")/.."
wire=provisioner/talos/api/_wire
out=.
if [ "${1:-}" = --check ]; then out="$(mktemp -d)"; trap 'rm -rf "$out"' EXIT; fi
PATH="$PWD/.venv/bin:$PATH" .venv/bin/python -m grpc_tools.protoc -I . \
  --python_out="$out" --pyi_out="$out" --grpclib_python_out="$out" "$wire"/*.proto
if [ "$out" != . ]; then
  for made in "$out/$wire"/*; do
    cmp -s "$made" "$wire/$(basename "$made")" || { echo "$wire/$(basename "$made") is stale: run make wire" >&2; exit 1; }
  done
  echo "generated messages are in step"
fi
