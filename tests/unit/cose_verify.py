#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Usage: cose_verify.py MESSAGE PUBLIC_KEY.pem...
# An independent reader of our signed messages (policy bundles, grants): Debian's python3-cbor2 decodes, openssl verifies. A COSE_Sign
# needs the keys of all who signed it, in the order of their signatures.
# Prints the payload; exits 1 when a signature does not verify or the message is not in canonical form.
import subprocess
import sys
import tempfile

import cbor2

TAG_SIGN1, TAG_SIGN = 18, 98


def der_integer(raw):
    body = raw.lstrip(b"\0") or b"\0"
    if body[0] & 0x80:
        body = b"\0" + body
    return b"\x02" + bytes([len(body)]) + body


def der_signature(raw):
    body = der_integer(raw[:32]) + der_integer(raw[32:])
    return b"\x30" + bytes([len(body)]) + body


def holds(structure, signature, key):
    with tempfile.NamedTemporaryFile() as signed, tempfile.NamedTemporaryFile() as sig:
        signed.write(cbor2.dumps(structure)), signed.flush()
        sig.write(der_signature(signature)), sig.flush()
        command = ["openssl", "dgst", "-sha256", "-verify", key, "-signature", sig.name, signed.name]
        return subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0


def verified(message, keys):  # RFC 9052 4.4
    protected, unprotected, payload, last = message.value
    if message.tag == TAG_SIGN1:
        good = len(keys) == 1 and holds(["Signature1", protected, b"", payload], last, keys[0])
        return good and unprotected == {} and cbor2.loads(protected)[1] == -7
    good = unprotected == {} and len(last) == len(keys)
    for (signer, more, signature), key in zip(last, keys):
        good = good and more == {} and cbor2.loads(signer)[1] == -7
        good = good and holds(["Signature", protected, signer, b"", payload], signature, key)
    return good


def main(path, *keys):
    raw = open(path, "rb").read()
    message = cbor2.loads(raw)
    payload = cbor2.loads(message.value[2])
    known = message.tag in (TAG_SIGN1, TAG_SIGN)
    canonical = known and cbor2.dumps(message) == raw and cbor2.dumps(payload, canonical=True) == message.value[2]
    if not canonical or not verified(message, keys):
        print("cose_verify: refused", "" if canonical else "(not canonical)", file=sys.stderr)
        return 1
    for name, value in payload.items():
        print(f"{name}: {value.hex() if isinstance(value, bytes) else value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
