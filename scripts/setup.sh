#!/bin/sh
# Makes the development environment in .venv: with uv where it is found, else with Python alone.
set -eu
cd "$(dirname "$0")/.."

members="-e ."
for project in providers/*/pyproject.toml; do members="$members -e $(dirname "$project")"; done

if command -v uv >/dev/null 2>&1; then
  uv venv --quiet --allow-existing .venv
  # shellcheck disable=SC2086
  uv pip install --quiet --python .venv/bin/python --group dev $members -c constraints.txt
else
  python="${PYTHON:-python3}"
  if ! command -v "$python" >/dev/null 2>&1; then
    echo "error: there is no $python on the PATH" >&2
    echo "hint: install Python 3.11 or later (on Debian: apt install python3 python3-venv)" >&2
    exit 1
  fi
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "error: $python is $("$python" --version), and Python 3.11 or later is needed" >&2
    echo "hint: name another one: make setup PYTHON=python3.12" >&2
    exit 1
  fi
  if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
    version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    echo "error: this Python cannot make virtual environments" >&2
    echo "hint: Debian keeps that in a package of its own: apt install python$version-venv" >&2
    exit 1
  fi
  echo "setting up .venv (about a minute)" >&2
  "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
  # shellcheck disable=SC2086
  .venv/bin/python -m pip install --quiet --group dev $members -c constraints.txt
fi
touch .venv/.ready
