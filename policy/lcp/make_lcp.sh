#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make_lcp.sh SOURCE --key RSA.pem --out DIRECTORY [--tboot TBOOT.GZ] [--revision N] [--pcr N=HEX]... [--bin DIR] [--tools DIR]
# The launch control policy of docs/interfaces/lcp.md: one list, signed, with one MLE element (tboot with the source's command line) and,
# with --pcr, one PCONF element (firmware's PCRs in SHA-256). Everything is made in a scratch directory and moved when it is whole.
# Invariant: the MLE's hash is computed twice, by us and by lcp2_mlehash, and both agree.
set -eu
die() { echo "make_lcp: $*" >&2; exit "${status:-1}"; }
usage() { status=2 die "usage: make_lcp.sh SOURCE --key RSA.pem --out DIRECTORY [--tboot FILE] [--revision N] [--pcr N=HEX]... [--bin DIR] [--tools DIR]"; }

source='' key='' out='' tboot='' revision=0 bin='' tools='' pcrs=''
while [ $# -gt 0 ]; do
    case $1 in
        --key | --out | --tboot | --revision | --pcr | --bin | --tools) [ $# -ge 2 ] || usage ;;
        -*) usage ;;
        *) [ -z "$source" ] || usage; source=$1; shift; continue ;;
    esac
    case $1 in
        --key) key=$2 ;;
        --out) out=$2 ;;
        --tboot) tboot=$2 ;;
        --revision) revision=$2 ;;
        --bin) bin=$2/ ;;
        --tools) tools=$2/ ;;
        --pcr) printf '%s\n' "$2" | grep -qE '^[0-7]=[0-9a-f]{64}$' || die "--pcr is N=HEX: PCR 0 to 7, SHA-256"
            pcrs="$pcrs --pcr${2%%=*} ${2#*=}" ;;
    esac
    shift 2
done
[ -n "$source" ] && [ -n "$key" ] && [ -n "$out" ] && [ -n "$tboot" ] || usage
printf '%s\n' "$revision" | grep -qE '^[0-9]{1,5}$' && [ "$revision" -le 65535 ] || die "--revision is 0 to 65535"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
said=$("${bin}casemate-policy" txt "$source") || die "the policy source is refused"
line=$(printf '%s\n' "$said" | sed -n 's/^tboot_command_line=//p')
sinit=$(printf '%s\n' "$said" | sed -n 's/^minimum_sinit=//p')

bits=$(openssl rsa -in "$key" -noout -text 2>/dev/null | sed -n 's/^Private-Key: (\([0-9]*\) bit.*/\1/p')
case $bits in # an ECDSA list crashes Debian 12's lcp2_crtpol
    2048) allowed=rsa-2048-sha256 ;;
    3072) allowed=rsa-3072-sha256 ;;
    *) die "$key is no RSA private key of 2048 or 3072 bits" ;;
esac
openssl rsa -in "$key" -pubout -out "$work/key.pub.pem" 2>/dev/null

# tool NAME ARGUMENT...: one of Debian's, quietly; what it says is shown when it fails.
tool() {
    name=$1
    shift
    "$tools$name" "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; die "$name failed"; }
}

ours=$("${bin}casemate-txt" mle-hash --tboot "$tboot" --tboot-command-line "$line") || die "tboot is refused"
tool lcp2_mlehash --create --alg sha256 --cmdline "$line" "$tboot"
cp "$work/said" "$work/mle.hash"
[ "$(tr -d ' \n' <"$work/mle.hash")" = "$ours" ] || die "lcp2_mlehash and casemate-txt disagree about $tboot"
tool lcp2_crtpolelt --create --type mle2 --alg sha256 --minver "$sinit" --ctrl 0 --out "$work/mle.elt" "$work/mle.hash"
elements=$work/mle.elt
if [ -n "$pcrs" ]; then
    # shellcheck disable=SC2086 # checked above: options and hexadecimal
    tool lcp2_crtpolelt --create --type pconf2 --alg sha256 --ctrl 0 $pcrs --out "$work/pconf.elt"
    elements="$elements $work/pconf.elt"
fi
# shellcheck disable=SC2086 # our own names
tool lcp2_crtpollist --create --listver 0x300 --out "$work/lcp.list" $elements
tool lcp2_crtpollist --sign --sigalg rsapss --hashalg sha256 --pub "$work/key.pub.pem" --priv "$key" --rev "$revision" --out "$work/lcp.list"
tool lcp2_crtpollist --verify "$work/lcp.list"
tool lcp2_crtpol --create --alg sha256 --type list --polver 3.2 --minver "$sinit" --mask sha256 --sign "$allowed" --ctrl 0 --rev "$revision" \
    --pol "$work/lcp.policy" --data "$work/lcp.data" "$work/lcp.list"
tool lcp2_crtpol --show "$work/lcp.policy" "$work/lcp.data"
cp "$work/said" "$work/lcp.txt"

mkdir -p "$out"
for file in mle.hash lcp.policy lcp.data lcp.txt; do mv "$work/$file" "$out/$file"; done
echo "mle_sha256=$ours"
echo "tboot_command_line=$line"
echo "Written to $out: lcp.policy (the TPM's NV index 01c10106, by its owner), lcp.data (a module of GRUB's entry), lcp.txt (both in words)."
