# SPDX-License-Identifier: Apache-2.0
# Shared by the init scripts of all VMs (sourced as /lib/casemate.sh): the bare system, its modules, parameters.

# say NAME key=value ...: one machine-readable line on the console, with the seconds since the kernel started.
say() {
    name=$1
    shift
    read -r uptime _ < /proc/uptime
    echo "CM_STATE $name uptime=$uptime $*"
}

mount_system() {
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
}

load_modules() {
    while read -r module; do
        insmod "$module" || echo "CM_ERROR cannot load $module"
    done < /lib/modules/order
}

# parameter NAME DEFAULT: the value of NAME=... on the kernel command line
parameter() {
    for word in $(cat /proc/cmdline); do
        case $word in "$1="*) echo "${word#*=}"; return ;; esac
    done
    echo "$2"
}

# wait_for PATH SECONDS: true as soon as PATH exists
wait_for() {
    tries=$(($2 * 20))
    while [ ! -e "$1" ]; do
        [ $tries -gt 0 ] || return 1
        tries=$((tries - 1))
        sleep 0.05
    done
}

# wait_for_text FILE TEXT SECONDS: true as soon as FILE holds TEXT
wait_for_text() {
    tries=$(($3 * 20))
    while [ "$(cat "$1" 2>/dev/null)" != "$2" ]; do
        [ $tries -gt 0 ] || return 1
        tries=$((tries - 1))
        sleep 0.05
    done
}

# The first process must never end: the kernel would panic.
stay() { while :; do sleep 3600; done; }
