#!/bin/sh
# Installs what virtual machines need, where it is missing (Debian; needs root for that).
set -eu
"$(dirname "$0")/image-tools.sh"
command -v qemu-img >/dev/null 2>&1 && exit 0
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends qemu-utils
