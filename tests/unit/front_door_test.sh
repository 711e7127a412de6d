#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Usage: front_door_test.sh SOURCE_DIR   -- what `./casemate` says and returns on a machine that cannot run it. Works on a
# copy of the launcher with a package list of its own; nothing is installed or built.
set -eu
unset CASEMATE_BUILD # of the run that this test is part of
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work # the launcher keeps the log of an installation that failed
mkdir -p "$work/tree/.ci" "$work/stubs"
cp "$1/casemate" "$work/tree/"
chmod -R go+rX "$work"
package=casemate-no-such-package

# refused STATUS PATTERN COMMAND...: fails with STATUS, within one sentence of PATTERN, and builds nothing.
refused() {
    local status=$1 pattern=$2 seen=0
    shift 2
    "$@" >"$work/out" 2>"$work/err" </dev/null || seen=$?
    [ "$seen" = "$status" ] || { cat "$work/out" "$work/err"; echo "front_door_test: status $seen, not $status: $*" >&2; exit 1; }
    grep -q -- "$pattern" "$work/err" || { cat "$work/err"; echo "front_door_test: no '$pattern': $*" >&2; exit 1; }
    [ ! -e "$work/tree/build/release" ] || { echo "front_door_test: something was built: $*" >&2; exit 1; }
}
stub() { printf '#!/bin/sh\n%s\n' "$2" >"$work/stubs/$1" && chmod 755 "$work/stubs/$1"; }
with_stubs() { PATH=$work/stubs:$PATH "$@"; }
casemate=$work/tree/casemate

echo "$package" >"$work/tree/.ci/packages.txt"
refused 1 'no session is running: start one with ./casemate up --keep-running' "$casemate" top --once
refused 1 'no session is running' "$casemate" console net0
refused 2 "no command 'launch'" "$casemate" launch
"$casemate" up --help | grep -q 'Exit status' || { echo "front_door_test: no help" >&2; exit 1; }
"$casemate" packages | grep -qx "missing   $package"

# A package is missing: neither root nor sudo; sudo or root, but apt-get fails; not a Debian system.
stub id 'echo 1000'
stub sudo 'exit 1'
refused 3 "neither root nor allowed to use sudo: $package" with_stubs "$casemate" up
refused 3 "neither root nor allowed to use sudo: $package" with_stubs "$casemate" test
[ -z "$(find "$work" -mindepth 1 -maxdepth 1 -name 'tmp.*')" ] || { echo "front_door_test: a log of nothing was left" >&2; exit 1; }
stub id 'echo 0'
stub apt-get 'echo "E: Unable to locate package"; exit 100'
refused 3 'apt-get could not install' with_stubs "$casemate" up
grep -q 'Unable to locate' "$work/err"

# No space; no place for the build directory.
: >"$work/tree/.ci/packages.txt"
stub df 'echo Avail; echo 17'
refused 3 'has 17 MiB free; a first build needs' with_stubs "$casemate" up
: >"$work/file"
CASEMATE_BUILD=$work/file/build refused 3 'cannot create the build directory' "$casemate" build
echo "front_door_test: passed"
