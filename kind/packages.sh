#!/usr/bin/env bash
# Installs Debian packages, as root: `packages.sh NAME…`. They start no service.
set -euo pipefail
echo "Installing $*" >&2
# The tests start private instances of their own, and a node brings its own containerd to life.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" > /dev/null
