#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Called by udhcpc with the event as argument and the lease in variables.
case $1 in
bound | renew)
    ip addr flush dev "$interface"
    ip addr add "$ip/$mask" dev "$interface"
    [ -z "$router" ] || ip route replace default via "${router%% *}" dev "$interface"
    echo "$ip" > /run/address
    ;;
esac
