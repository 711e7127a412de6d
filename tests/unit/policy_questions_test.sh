#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: policy_questions_test.sh CASEMATE_POLICY SOURCE BUNDLE KEYS -- a policy's questions on the command line, and the way back from a bundle.
set -eu
policy=$1 source=$2 bundle=$3 keys=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# says STATUS TEXT COMMAND...
says() {
    wanted=$1 text=$2
    shift 2
    status=0
    "$@" > "$scratch/out" 2>&1 || status=$?
    { [ "$status" = "$wanted" ] && grep -qF -- "$text" "$scratch/out"; } && return
    echo "FAILED: $* gave $status, not $wanted with '$text':"
    cat "$scratch/out"
    exit 1
}

says 0 'net0 may hold 00:03.0 (8086:10d3)' "$policy" who-can-hold "$source" 00:03.0
says 0 'disk0 may hold 00:04.0' "$policy" who-can-hold "$bundle" 0000:00:04.0
says 3 'nobody: the policy does not name 00:09.0' "$policy" who-can-hold "$bundle" 00:09.0
says 1 "'nic' is no device" "$policy" who-can-hold "$bundle" nic
says 3 'no: there is no link between them' "$policy" can-talk "$source" net0 disk0
says 0 'the policies say the same' "$policy" diff "$source" "$bundle"
sed 's/^epoch = 1/epoch = 2/; s/max_lease = 60/max_lease = 30/' "$source" > "$scratch/new.toml"
says 3 'the policy: epoch was 1, is 2' "$policy" diff "$bundle" "$scratch/new.toml"
says 3 'device 00:03.0: longest lease was 60 s, is 30 s' "$policy" diff "$bundle" "$scratch/new.toml"
says 1 'cannot be read' "$policy" decompile "$scratch/none"
printf 'epoch = 1\nunknown = 2\n' > "$scratch/bad.toml"
says 1 'bad.toml:2:' "$policy" who-can-hold "$scratch/bad.toml" 00:03.0

# The ready policies, each on the machine that it is for.
defaults=$(dirname "$source")
cat > "$scratch/lspci" << 'END'
0000:00:02.0 "0300" "8086" "a7a0" -r04
0000:00:03.0 "0200" "8086" "10d3" -r02
0000:00:04.0 "0108" "1b36" "0010" -r02 -p02
END
for ready in laptop appliance; do
    says 1 '--inventory' "$policy" check "$defaults/$ready.toml"
    says 0 'valid' "$policy" check "$defaults/$ready.toml" --inventory "$scratch/lspci"
    says 0 'net0 may hold 00:03.0 (8086:10d3)' "$policy" who-can-hold "$defaults/$ready.toml" 00:03.0 --inventory "$scratch/lspci"
    says 3 'nobody' "$policy" who-can-hold "$defaults/$ready.toml" 00:02.0 --inventory "$scratch/lspci"
done
says 0 'valid' "$policy" check "$defaults/server.toml"
says 3 'a conflict of interest is declared between red-app and blue-app' "$policy" can-talk "$defaults/server.toml" red-app blue-app
{ cat "$defaults/server.toml" && printf '\n[[link]]\nbetween = ["red-net", "blue-disk"]\n'; } > "$scratch/linked.toml"
says 1 'two VMs of the conflict set reach each other over links' "$policy" check "$scratch/linked.toml"
says 1 "toml:1: not a line" "$policy" check "$source" --inventory "$source"
says 1 'no device in it' "$policy" check "$source" --inventory "$scratch/none"

# There and back: the same payload, which is what is signed.
"$policy" decompile "$bundle" > "$scratch/back.toml"
"$policy" compile "$scratch/back.toml" --key "$keys/owner.pem" --verifier-key "$keys/grant.pub.pem" --out "$scratch/back.cbor"
says 0 'the policies say the same' "$policy" diff "$bundle" "$scratch/back.cbor"
size=$(wc -c < "$bundle")
head -c $((size - 66)) "$bundle" | cmp - "$scratch/back.cbor" 2>&1 | grep -q 'EOF on -' || { echo 'FAILED: another payload'; exit 1; }

# A bundle with one changed byte is refused.
cp "$bundle" "$scratch/changed.cbor"
printf '\377' | dd of="$scratch/changed.cbor" bs=1 seek=$((size / 2)) conv=notrunc 2> /dev/null
"$policy" decompile "$scratch/changed.cbor" > "$scratch/out" 2>&1 && { echo 'FAILED: a changed bundle was decompiled'; exit 1; }
echo 'all questions answered'
