#!/usr/bin/env bash
# Looks whether this machine has what a target needs: `preflight.sh PYTHON TARGET`. The looking is done by the Python
# package beside this file; what it says when there is no Python for it is here.
set -euo pipefail
python=$1 target=$2
kind=$(dirname "$0")

new_enough() { "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if ! new_enough && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  bash "$kind/packages.sh" python3 python3-venv
fi
if ! new_enough; then
  {
    echo "\`make $target\` cannot begin on this machine:"
    echo "  - Python 3.11 or newer is missing"
    echo "    Next: install it, or say where it is: make $target PYTHON=/path/to/python3"
    command -v go >/dev/null || echo "  - Go is missing: 1.24 or newer, from https://go.dev/dl/"
    command -v docker >/dev/null || [ "$(id -u)" = 0 ] || echo "  - There is no Docker: start it, or run as root on Debian 12"
    command -v docker >/dev/null || echo "  - Without Docker it needs these packages of Debian:" \
      "$(sed '/^#/d' "$kind"/node/debian-packages.txt "$kind"/images/debian-packages.txt | sort -u | tr '\n' ' ')"
    echo "  The rest (space, memory, networks, control groups) is looked at once Python is there."
  } >&2
  exit 1
fi
PYTHONPATH=$kind PYTHONDONTWRITEBYTECODE=1 exec "$python" -m preflight "$target"
