#!/bin/sh
# Generates the Talos message code from our interface description. `wire.sh OUT` writes below OUT
# instead of in place, which is how `make check` finds stale code.
set -eu
cd "$(dirname "$0")/.."
python="${PYTHON:-.venv/bin/python}"
out="${1:-.}"
PATH="$(dirname "$python"):$PATH" "$python" -m grpc_tools.protoc -I . \
  --python_out="$out" --pyi_out="$out" --grpclib_python_out="$out" \
  provisioner/talos/api/_wire/*.proto
