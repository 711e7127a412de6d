#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: package_test.sh SOURCE_DIR PACKAGE.deb   -- the Debian package, installed, used, upgraded, removed and purged. All of it in a
# copy-on-write view of this machine's file system, in namespaces of its own: no file, process or account of the machine
# changes, and there is no network but a loopback interface. Needs root. The last line is `N passed, N failed`.
set -uo pipefail
source_dir=$1
package=$(readlink -f "$2")
passed=0
failed=0

check() { # check SENTENCE COMMAND...: status 0 passes
    local sentence=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '[test] package: NOT %s\n%s\n' "$sentence" "$output"
    fi
}

field() { dpkg-deb -f "$package" "$1"; }
of_machine() { { cat /etc/passwd /etc/group; dpkg-query -W; ls -la /etc /var/lib /usr/sbin /lib/systemd/system; } 2>&1 | sha256sum; }

in_copy() { # in_copy: reads a script; runs it as root in the copy, with the package as /package.deb
    unshare --mount --net --pid --ipc --uts --fork --kill-child --propagation private bash -euc '
        mount -t tmpfs -o mode=0755 tmpfs /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
        for place in proc dev run tmp; do
            [ "$place" = dev ] && mount --rbind /dev /mnt/root/dev && continue
            [ "$place" = proc ] && mount -t proc proc /mnt/root/proc && continue
            mount -t tmpfs -o mode=1777 tmpfs "/mnt/root/$place"
        done
        ip link set lo up
        cp "$1" /mnt/root/package.deb
        cp "$2" /mnt/root/inside.sh
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot /mnt/root bash /inside.sh
    ' in_copy "$package" "$source_dir/tests/package/inside.sh"
}

check "the package has the name, version and architecture of this build" \
    test "$(field Package) $(field Version) $(field Architecture)" = "casemate-verifierd 0.1.0 $(dpkg --print-architecture)"
check "the package names the libraries that it needs" grep -q 'libssl3.*' <<<"$(field Depends)"
check "every file belongs to root, and none can be written by others" \
    bash -c '! dpkg-deb -c "$1" | grep -vE "^.{5}-.{2}-. root/root|^l"' - "$package"
check "the programs are stripped" bash -c 'd=$(mktemp -d) && dpkg-deb -x "$1" "$d" && ! file "$d/usr/sbin/casemate-verifierd" | grep -q "not stripped"; s=$?; rm -rf "$d"; exit $s' - "$package"

# A container may have neither namespaces nor an overlay for us.
can_copy() {
    [ "$(id -u)" = 0 ] && unshare --mount --net --pid --ipc --uts --fork --kill-child --propagation private bash -euc '
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
        mount -t proc proc /mnt/root/proc' 2>/dev/null
}

before=$(of_machine)
if can_copy; then
    inside=$(in_copy 2>&1)
    grep '^\[test\]' <<<"$inside" | grep -v ' ok$'
    good=$(grep -c '^\[test\] package: .* ok$' <<<"$inside")
    bad=$(grep -c '^\[test\] package: NOT' <<<"$inside")
    passed=$((passed + good))
    failed=$((failed + bad))
    check "the tests in the copy ran to their end" grep -qx 'inside: done' <<<"$inside"
    [ "$failed" = 0 ] || tail -n 60 <<<"$inside"
else
    echo "[test] package: installing needs root, namespaces and an overlay; only the package's contents were looked at"
fi
check "the machine is as it was" test "$before" = "$(of_machine)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
