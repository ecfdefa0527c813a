#!/bin/sh
# Installs what building and booting the stand-in image needs, where it is missing (Debian; needs root for that).
set -eu
missing=""
for pair in objcopy:binutils xorriso:xorriso mcopy:mtools mkfs.vfat:dosfstools zstd:zstd xz:xz-utils \
  qemu-system-x86_64:qemu-system-x86; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || missing="$missing ovmf"
apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1 || apt-get update -qq
[ -z "$missing" ] && exit 0
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
