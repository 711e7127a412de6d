#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch_tboot.sh DIRECTORY: unpacks Debian's tboot package there; nothing is installed, for its postinst runs update-grub and its
# scripts add entries to GRUB's menu. No root needed; apt checks the signature and digest of what it downloads. A second run does nothing.
#   DIRECTORY/boot/tboot.gz      DIRECTORY/usr/sbin/lcp2_*, tb_polgen, txt-stat
set -eu
die() { echo "fetch_tboot: $*" >&2; exit 1; }

mkdir -p "$1"
cd "$1"
[ -e boot/tboot.gz ] && [ -x usr/sbin/lcp2_crtpol ] && exit 0
rm -rf boot usr etc -- *.deb
apt-get download -o APT::Sandbox::User=root tboot >&2 || die "apt-get could not download tboot: run 'apt-get update' as root first"
dpkg-deb -x tboot_*.deb . || die "cannot unpack tboot: is the disk full?"
rm -- *.deb
