#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: keys_test.sh CASEMATE_KEYS PRODUCTION_CHECK DEVELOPMENT_CHECK
# What keys/README.md promises: modes, idempotence, no overwriting, refusals, and who takes which keys.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tool=$1 production_check=$2 development_check=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "keys_test: $1" >&2; exit 1; }

. "$here/late_certificate.sh"

umask 0
"$tool" init "$work/keys" >/dev/null
[ "$(stat -c %a "$work/keys")" = 700 ] || fail "the directory is not 0700"
[ -z "$(find "$work/keys" -type f ! -perm 600)" ] || fail "a file is not 0600"
[ "$(find "$work/keys" -type f | wc -l)" = 21 ] || fail "not exactly twenty-one files"
for name in owner grant audit result; do
    openssl verify -CAfile "$work/keys/$name.crt.pem" "$work/keys/$name.crt.pem" >/dev/null 2>&1 || fail "the certificate of $name does not verify"
done
openssl verify -CAfile "$work/keys/ca.pem" -purpose sslserver -verify_ip 127.0.0.1 "$work/keys/server.pem" >/dev/null ||
    fail "the server certificate does not verify"
openssl verify -CAfile "$work/keys/operator-ca.pem" -purpose sslclient "$work/keys/operator.pem" >/dev/null ||
    fail "the operator's certificate does not verify"
openssl verify -CAfile "$work/keys/ca.pem" "$work/keys/operator.pem" >/dev/null 2>&1 &&
    fail "the server's authority vouches for the operator"
openssl verify -CAfile "$work/keys/operator-ca.pem" -purpose sslserver "$work/keys/operator.pem" >/dev/null 2>&1 &&
    fail "the operator's certificate would do for a server"

before=$(cat "$work"/keys/* | sha256sum)
"$tool" init "$work/keys" >/dev/null
[ "$before" = "$(cat "$work"/keys/* | sha256sum)" ] || fail "a second run changed a file"

rm "$work/keys/owner.pub.pem" "$work/keys/server.pem"
"$tool" init "$work/keys" >/dev/null
[ -f "$work/keys/owner.pub.pem" ] && [ -f "$work/keys/server.pem" ] || fail "what was missing was not made"

"$tool" init --development "$work/development" >/dev/null
"$production_check" "$work/development" "$work/keys" || fail "a production build is wrong about keys"
"$development_check" "$work/development" "$work/keys" || fail "a development build is wrong about keys"
"$tool" init "$work/development" 2>/dev/null && fail "development keys were taken for production"
openssl pkey -in "$work/development/owner.pem" -noout || fail "the mark hides the key from others"

"$tool" status "$work/keys" > "$work/status" || fail "new keys are out of date"
grep -q '^owner.crt.pem .* \(729\|730\)  good' "$work/status" || fail "the status does not say how long the owner's key is good"
"$tool" status "$work/keys" --json | python3 -c 'import json, sys; assert len(json.load(sys.stdin)["certificates"]) == 8' || fail "not eight certificates"

"$tool" make "$work/alice" alice --days 30 >/dev/null
[ "$(stat -c %a "$work/alice/alice.pem")" = 600 ] || fail "an owner's key is not 0600"
for bad in ../alice Alice 'a b' ''; do "$tool" make "$work/alice" "$bad" 2>/dev/null && fail "the name '$bad' was accepted"; done
mkdir "$work/ca"
(cd "$work/ca" && late ../alice/alice.pem ../alice/late.crt.pem)
chmod 600 "$work/alice/late.crt.pem"
"$tool" status "$work/alice" > "$work/status" && fail "an expired certificate is no failure"
grep -q '^late.crt.pem .* expired' "$work/status" || fail "the status does not say what has expired"

# The grant key is changed: both are there until --finish, and afterwards; a cut in the middle is gone over again.
old=$(cat "$work/keys/grant.pem")
"$tool" rotate "$work/keys" grant --finish >/dev/null 2>&1 && fail "a rotation was finished that had not begun"
[ "$old" = "$(cat "$work/keys/grant.pem")" ] || fail "a refused rotation changed the key"
"$tool" rotate "$work/keys" grant >/dev/null
[ "$old" = "$(cat "$work/keys/grant.pem")" ] && [ -f "$work/keys/grant.next.crt.pem" ] || fail "the successor is not beside the key"
next=$(cat "$work/keys/grant.next.pem")
"$tool" rotate "$work/keys" grant >/dev/null
[ "$next" = "$(cat "$work/keys/grant.next.pem")" ] || fail "a second run made another successor"
mv "$work/keys/grant.crt.pem" "$work/keys/grant.old-$(openssl pkey -in "$work/keys/grant.pem" -pubout -outform DER | tail -c 65 | sha256sum | head -c 16).crt.pem"
"$tool" rotate "$work/keys" grant --finish >/dev/null
[ "$next" = "$(cat "$work/keys/grant.pem")" ] || fail "the successor did not take the name"
[ "$old" = "$(cat "$work"/keys/grant.old-????????????????.pem)" ] || fail "the old key is gone"
[ ! -e "$work/keys/grant.next.pem" ] || fail "the successor is there twice"
"$tool" init "$work/keys" >/dev/null || fail "the keys do not fit each other after a rotation"
"$tool" rotate "$work/keys" nobody 2>/dev/null && fail "a key that is not there has a successor"

cp "$work/keys/grant.pub.pem" "$work/keys/owner.pub.pem"
"$tool" init "$work/keys" 2>/dev/null && fail "a public key of another key was accepted"
rm "$work/keys/owner.pub.pem"
echo broken > "$work/keys/owner.pem"
"$tool" init "$work/keys" 2>/dev/null && fail "a broken private key was accepted"
rm "$work/keys/owner.pem"
chmod 644 "$work/keys/grant.pem"
"$tool" init "$work/keys" 2>/dev/null && fail "a readable private key was accepted"
chmod 600 "$work/keys/grant.pem"
chmod 755 "$work/keys"
"$tool" init "$work/keys" 2>/dev/null && fail "an open directory was accepted"
echo "keys_test: passed"
