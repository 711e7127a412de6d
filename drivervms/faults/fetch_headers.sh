#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch_headers.sh DIRECTORY KERNEL_DIRECTORY: unpacks there what kbuild needs to build a module for the kernel that
# drivervms/image/fetch_kernel.sh unpacked in KERNEL_DIRECTORY. Nothing is installed, no root needed; apt checks what it downloads.
#   DIRECTORY/tree      Debian's packages      DIRECTORY/headers -> what `make -C` is given
set -eu
die() { echo "fetch_headers: $*" >&2; exit 1; }

version=$(sed 's/^linux-image-//' "$2/package")
mkdir -p "$1"
cd "$1"
[ "$(cat package 2>/dev/null || true)" != "$version" ] || exit 0
rm -rf tree headers package -- *.deb

names=$(apt-cache depends "linux-headers-$version" 2>/dev/null | sed -n 's/^ *Depends: \(linux-\(headers\|kbuild\)-.*\)$/\1/p')
[ -n "$names" ] || die "apt knows no linux-headers-$version: run 'apt-get update' as root first"
# shellcheck disable=SC2086
apt-get download -o APT::Sandbox::User=root "linux-headers-$version" $names >&2 || die "apt-get could not download the headers of $version"
for package in *.deb; do dpkg-deb -x "$package" tree || die "cannot unpack $package: is the disk full?"; done
# Debian's makefiles name each other as if they were installed.
root=$PWD/tree
sed -i "s,/usr/src,$root/usr/src,g; s,/usr/lib/linux-kbuild,$root/usr/lib/linux-kbuild,g" "tree/usr/src/linux-headers-$version/Makefile"
ln -s "tree/usr/src/linux-headers-$version" headers
rm -- *.deb
echo "$version" > package
