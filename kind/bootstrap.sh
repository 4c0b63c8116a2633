#!/usr/bin/env bash
# Creates the virtual environment from the lock file: `bootstrap.sh PYTHON VENV`.
# A bare machine needs Python and nothing else: pip fetches uv, and uv the rest, several at a time.
set -euo pipefail
python=$1 venv=$2

if ! "$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    bash "$(dirname "$0")/packages.sh" python3 python3-venv
  else
    echo "Python 3.11 or newer with its venv module is needed: install it (Debian: apt-get install python3-venv)," \
      "or say where it is: make PYTHON=/path/to/python3 …" >&2
    exit 1
  fi
fi
echo "Installing the locked dependencies into $venv" >&2
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip=("$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r)
# Every wheel must have the hash that the lock file names, uv itself included.
"${pip[@]}" <(awk '/^[a-z]/ {wanted = /^uv==/} wanted' requirements.lock)
# uv reads no pip.conf: where only that names the index, pip does the work.
uv=("$venv/bin/uv" pip install -q --python "$venv/bin/python" --compile-bytecode)
if ! UV_NATIVE_TLS=true "${uv[@]}" --require-hashes -r requirements.lock; then
  echo "uv cannot; once more by pip" >&2
  "${pip[@]}" requirements.lock
fi
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
