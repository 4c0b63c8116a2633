#!/usr/bin/env bash
# Creates the virtual environment from the lock file: `bootstrap.sh PYTHON VENV`.
# Plain pip and hashes, so that a bare machine needs Python and nothing else.
set -euo pipefail
python=$1 venv=$2

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3 python3-venv
  else
    echo "Python 3.11 or newer is needed: install it, or say where it is: make PYTHON=/path/to/python3 …" >&2
    exit 1
  fi
fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv
  else
    echo "Python's venv module is needed: on Debian or Ubuntu run 'apt-get install python3-venv'" >&2
    exit 1
  fi
fi
echo "Installing the locked dependencies into $venv" >&2
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
