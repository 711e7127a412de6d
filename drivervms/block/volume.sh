# SPDX-License-Identifier: Apache-2.0
# Sourced by init where the image has it: an encrypted volume whose key is a secret sealed to this VM (docs/interfaces/secret.md).
# cm.volume=SECRET: the disk's content is in a LUKS2 volume under that key. An empty disk becomes one; any other disk is left alone.

volume_error() {
    echo "CM_PROOF volume error=\"$1\""
    return 1
}

# Its first 16 MiB, where every file system and partition table starts, are zero.
disk_is_blank() { [ "$(head -c 16777216 "$disk" | tr -d '\000' | head -c 1 | wc -c)" = 0 ]; }

# The key is random, so it needs no slow derivation.
format_volume() {
    cryptsetup luksFormat -q --type luks2 --cipher aes-xts-plain64 --key-size 512 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$disk" "$1"
}

# open_volume SECRET: $disk is the opened volume then. The key's file is gone afterwards; the kernel has the key.
open_volume() {
    key=/run/secrets/$1
    new=no
    [ -s "$key" ] || volume_error 'the secret did not come' || return 1
    if ! cryptsetup isLuks "$disk"; then
        disk_is_blank || volume_error 'the disk is neither empty nor an encrypted volume' || return 1
        format_volume "$key" || volume_error 'the disk takes no encrypted volume' || return 1
        new=yes
    fi
    cryptsetup open --type luks2 --key-file "$key" "$disk" volume || volume_error 'the secret does not open it' || return 1
    rm "$key"
    disk=/dev/mapper/volume
    echo "CM_PROOF volume name=$1 new=$new"
}
