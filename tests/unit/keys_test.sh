#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: keys_test.sh CASEMATE_KEYS PRODUCTION_CHECK DEVELOPMENT_CHECK
# What keys/README.md promises: modes, idempotence, no overwriting, refusals, and who takes which keys.
set -eu
tool=$1 production_check=$2 development_check=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "keys_test: $1" >&2; exit 1; }

umask 0
"$tool" init "$work/keys" >/dev/null
[ "$(stat -c %a "$work/keys")" = 700 ] || fail "the directory is not 0700"
[ -z "$(find "$work/keys" -type f ! -perm 600)" ] || fail "a file is not 0600"
[ "$(find "$work/keys" -type f | wc -l)" = 17 ] || fail "not exactly seventeen files"
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
