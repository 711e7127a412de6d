#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: no_sse.sh PROGRAM -- fails when PROGRAM could execute an SSE or AVX instruction: when a function outside the
# known few of libbearssl.a holds one, or when anything calls one of those few.
set -eu
known='br_sha1_init|br_sha1_out|br_sha224_init|br_sha256_init|br_sha224_out|br_sha256_out|sha2small_out'
objdump -d "$1" > "$1.disassembly"
users=$(awk '/^[0-9a-f]+ </ { name = $2; gsub(/[<>:]/, "", name) } /%[xyz]mm/ { print name }' "$1.disassembly" |
    sort -u | grep -vE "^($known)\$" || true)
[ -z "$users" ] || { echo "SSE in: $users"; exit 1; }
# Calls among the few themselves (br_sha256_out -> sha2small_out) do not count.
callers=$(awk '/^[0-9a-f]+ </ { name = $2; gsub(/[<>:]/, "", name) } /[ \t](call|jmp) / { print name, $NF }' "$1.disassembly" |
    grep -E "<($known)>\$" | grep -vE "^($known) " || true)
[ -z "$callers" ] || { echo "calls of functions that use SSE: $callers"; exit 1; }
grep -q '<br_sha224_update>:' "$1.disassembly" || { echo "not the program that was meant"; exit 1; }
echo "no SSE instruction can be reached"
