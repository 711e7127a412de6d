# SPDX-License-Identifier: Apache-2.0
# Sourced by init where the image has it: a WireGuard tunnel whose private key is a secret sealed to this VM (docs/interfaces/secret.md).
#   cm.tunnel=SECRET                the secret's name; its content as `wg genkey` prints it
#   cm.tunnel_address=A.B.C.D/N     this end's address in the tunnel
#   cm.tunnel_peer=KEY              the other end's public key
#   cm.tunnel_allowed=A.B.C.D/N     what is behind it
#   cm.tunnel_peer_at=ADDRESS:PORT  where it is; not given: it calls
#   cm.tunnel_ping=ADDRESS          proves that address to answer through the tunnel, within two minutes

tunnel_error() {
    echo "CM_PROOF tunnel error=\"$1\""
    return 1
}

# bring_up_tunnel SECRET: the key's file is gone afterwards; the kernel has the key.
bring_up_tunnel() {
    key=/run/secrets/$1
    [ -s "$key" ] || tunnel_error 'the secret did not come' || return 1
    at=$(parameter cm.tunnel_peer_at '')
    ip link add wg0 type wireguard || tunnel_error 'no WireGuard in this kernel' || return 1
    wg set wg0 private-key "$key" listen-port 51820 peer "$(parameter cm.tunnel_peer '')" allowed-ips "$(parameter cm.tunnel_allowed '')" \
        ${at:+endpoint "$at" persistent-keepalive 5} || tunnel_error 'the secret or the peer is no WireGuard key' || return 1
    rm "$key"
    ip addr add "$(parameter cm.tunnel_address '')" dev wg0
    ip link set wg0 up
    say tunnel step=up public="$(wg show wg0 public-key)"
}

answers() { ping -c 1 -W 2 "$1" > /dev/null 2>&1; }

prove_tunnel() {
    far=$(parameter cm.tunnel_ping '')
    [ -n "$far" ] || return 0
    tries=60
    until answers "$far"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || tunnel_error 'the other end does not answer' || return 1
        sleep 1
    done
    read -r _ received sent << END
$(wg show wg0 transfer)
END
    echo "CM_PROOF tunnel name=$(parameter cm.tunnel '') public=$(wg show wg0 public-key) received=$received sent=$sent"
}
