#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: policy_signing_test.sh CASEMATE_POLICY CASEMATE_KEYS SOURCE COSE_VERIFY -- two of three owners sign a policy, each on a machine of
# his own, as keys/README.md tells it; and who does not get a signature.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
policy=$1 keys=$2 source=$3 verify=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# says STATUS TEXT COMMAND...
says() {
    wanted=$1 text=$2
    shift 2
    status=0
    "$@" > out 2>&1 || status=$?
    { [ "$status" = "$wanted" ] && { [ -z "$text" ] || grep -qF -- "$text" out; }; } && return
    echo "FAILED: $* gave $status, not $wanted with '$text':"
    cat out
    exit 1
}

. "$here/late_certificate.sh"

for who in alice bob carol; do "$keys" make "$who" "$who" > out; done
"$keys" make approver approval > out
"$keys" init verifier > out
mkdir shared
cp alice/alice.crt.pem bob/bob.crt.pem carol/carol.crt.pem approver/approval.crt.pem shared
cat > shared/owners.toml <<'END'
threshold = 2
owners = ["alice.crt.pem", "bob.crt.pem", "carol.crt.pem"]
approval_key = "approval.crt.pem"
END
for who in alice bob carol; do cp -r shared "$who/shared"; done
grant="--verifier-key verifier/grant.pub.pem"

says 0 '2 signatures are missing' "$policy" compile "$source" --owners shared/owners.toml $grant --out draft.cbor
says 3 'A DRAFT: 2 of the signatures are missing' "$policy" show draft.cbor
says 0 '1 signature is missing' "$policy" sign draft.cbor --owners carol/shared/owners.toml --key carol/carol.pem --out one.cbor
says 3 '2 of 3 sign' "$policy" show one.cbor
says 1 'signed it already' "$policy" sign one.cbor --owners carol/shared/owners.toml --key carol/carol.pem
says 0 '' "$policy" sign one.cbor --owners alice/shared/owners.toml --key alice/alice.pem --out policy.cbor
says 0 'has not signed' "$policy" show policy.cbor
says 1 'it is complete' "$policy" sign policy.cbor --owners bob/shared/owners.toml --key bob/bob.pem

# The order of signing makes no difference but in the signatures themselves.
"$policy" sign draft.cbor --owners shared/owners.toml --key alice/alice.pem --out other.cbor > out
"$policy" sign other.cbor --owners shared/owners.toml --key carol/carol.pem --out other.cbor
[ "$(wc -c < policy.cbor)" = "$(wc -c < other.cbor)" ] || { echo 'FAILED: another form'; exit 1; }
size=$(wc -c < policy.cbor)
[ "$(cmp -l policy.cbor other.cbor | awk -v from="$((size - 2 * 75))" '$1 <= from' | wc -l)" = 0 ] || { echo 'FAILED: another body'; exit 1; }

# An independent reader agrees, whoever of the two stands first in the set.
"$verify" policy.cbor alice/alice.pub.pem carol/carol.pub.pem > out 2>&1 || "$verify" policy.cbor carol/carol.pub.pem alice/alice.pub.pem > out ||
    { echo 'FAILED: not a COSE_Sign'; exit 1; }

# Who gets no signature.
says 1 "none of its owners'" "$policy" sign one.cbor --owners shared/owners.toml --key approver/approval.pem
sed 's/threshold = 2/threshold = 1/' shared/owners.toml > shared/weaker.toml
says 1 'of other owners' "$policy" sign one.cbor --owners shared/weaker.toml --key bob/bob.pem
id=$(openssl pkey -pubin -in bob/bob.pub.pem -outform DER | tail -c 65 | sha256sum | cut -d ' ' -f 1)
{ cat shared/owners.toml && echo "revoked = [\"$id\"]"; } > shared/revoked.toml
says 1 'bob.crt.pem: the key is revoked' "$policy" compile "$source" --owners shared/revoked.toml $grant --out none.cbor
says 1 'bob.crt.pem: the key is revoked' "$policy" sign one.cbor --owners shared/revoked.toml --key bob/bob.pem
late bob/bob.pem shared/bob.crt.pem
says 1 'the key has expired' "$policy" sign one.cbor --owners shared/owners.toml --key bob/bob.pem
cp shared/bob.crt.pem bob/bob.crt.pem
says 1 'the key has expired' "$policy" compile "$source" --key bob/bob.pem $grant --out none.cbor
says 1 'is not of this key' "$policy" compile "$source" --key alice/alice.pem --certificate carol/carol.crt.pem $grant --out none.cbor
says 1 'needs --key' "$policy" compile "$source" $grant --out none.cbor
[ ! -e none.cbor ] || { echo 'FAILED: a refused policy was written'; exit 1; }

# Two grant keys, while the verifier changes its own.
"$keys" rotate verifier grant > out
says 0 '' "$policy" compile "$source" --key alice/alice.pem $grant --next-verifier-key verifier/grant.next.pub.pem --out both.cbor
says 0 'next grant key' "$policy" show both.cbor
says 1 'is its present one' "$policy" compile "$source" --key alice/alice.pem $grant --next-verifier-key verifier/grant.pub.pem --out none.cbor
echo 'two of three signed'
