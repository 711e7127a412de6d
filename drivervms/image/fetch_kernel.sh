#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch_kernel.sh DIRECTORY FLAVOUR: unpacks Debian's current kernel package of that flavour (amd64, cloud-amd64) there; nothing is
# installed, no root needed.
# apt checks the signature and digest of what it downloads. The package is kept: a second run does nothing.
#   DIRECTORY/vmlinuz   the kernel        DIRECTORY/modules -> tree/lib/modules/VERSION, with modules.dep
set -eu
die() { echo "fetch_kernel: $*" >&2; exit 1; }

mkdir -p "$1"
cd "$1"
package=$(apt-cache depends "linux-image-$2" 2>/dev/null |
          sed -n "s/^ *Depends: \(linux-image-[0-9.-]*-$2\)\$/\1/p" | head -n 1)
have=$(cat package 2>/dev/null || true)
if [ -n "$have" ] && { [ -z "$package" ] || [ "$have" = "$package" ]; } && [ -e vmlinuz ] && [ -e modules/modules.dep ]; then
    exit 0
fi
[ -n "$package" ] || die "apt knows no linux-image-$2: run 'apt-get update' as root first"

rm -rf tree package vmlinuz modules -- *.deb
apt-get download -o APT::Sandbox::User=root "$package" >&2 || die "apt-get could not download $package"
dpkg-deb -x "$package"_*.deb tree || die "cannot unpack $package: is the disk full?"
version=${package#linux-image-}
PATH=$PATH:/usr/sbin:/sbin depmod -b tree "$version" || die "depmod failed: is the package kmod installed?"
ln -s "tree/lib/modules/$version" modules
cp "tree/boot/vmlinuz-$version" vmlinuz
rm -- *.deb
echo "$package" > package
