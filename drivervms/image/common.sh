# SPDX-License-Identifier: Apache-2.0
# Shared by the init scripts of all VMs (sourced as /lib/casemate.sh): the bare system, its modules, parameters.

# say NAME key=value ...: one machine-readable line on the console, with the seconds since the kernel started and the memory that is left.
say() {
    name=$1
    shift
    read -r uptime _ < /proc/uptime
    while read -r entry available _ && [ "$entry" != MemAvailable: ]; do :; done < /proc/meminfo
    echo "CM_STATE $name uptime=$uptime available_kib=$available $*"
}

mount_system() {
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    read -r command_line < /proc/cmdline
    sleep_well
}

# An idle VM wakes up for nothing that it does not need: no compaction of memory twice a second, counters brought up to date every two minutes.
sleep_well() {
    echo 0 > /proc/sys/vm/compaction_proactiveness
    echo 120 > /proc/sys/vm/stat_interval
}

# options_of FILE: a module's parameters from the kernel command line (e1000e.IntMode=1), as modprobe takes them
options_of() {
    module_name=${1##*/}
    module_name=${module_name%.ko}
    for word in $command_line; do
        case $word in "$module_name".*=*) echo "${word#*.}" ;; esac
    done
}

# load_modules [LIST]
load_modules() {
    while read -r module; do
        insmod "$module" $(options_of "$module") || echo "CM_ERROR cannot load $module"
    done < "/lib/modules/${1:-order}"
}

# A driver VM's way to its devices: load_drivers, then all that it can do without them, then find_devices. In between, where the policy says
# `restart = "warm"`, the hypervisor makes its snapshot: a restart goes on right after that (docs/adr/0014), so what is done before it is not done again.
load_drivers() {
    echo 0 > /sys/bus/pci/drivers_autoprobe
    load_modules
    ! has_links || load_modules order.links
}

# 1552: hypervisor/devices/acpi.hpp, snapshot_port. Natively that port may be anything.
find_devices() {
    [ ! -e /sys/firmware/acpi/tables/WDAT ] || echo | dd of=/dev/port bs=1 seek=1552 count=1 2> /dev/null
    cm-probe reseed # what this life draws, the others from the same snapshot must not
    echo 1 > /sys/bus/pci/drivers_autoprobe
    for each in /sys/bus/pci/devices/*; do echo "${each##*/}" > /sys/bus/pci/drivers_probe; done
}

# cm.secrets=N: takes that many secrets, sealed to this VM and this platform by its owner, into /run/secrets.
take_secrets() {
    for each in $(seq "$(parameter cm.secrets 0)"); do
        mkdir -p -m 0700 /run/secrets
        cm-probe secret /run/secrets 60
    done
}

# A VM's links to other VMs are PCI functions from 00:18.0, in the order of the policy.
has_links() { [ -e /sys/bus/pci/devices/0000:00:18.0 ]; }

# bring_up_links [MTU]: brings up link1 ... linkN; $links is N.
bring_up_links() {
    links=0
    for each in /sys/bus/pci/devices/0000:00:1[89ab].0/virtio*/net/*; do
        [ -e "$each" ] || return 1
        links=$((links + 1))
        ip link set "${each##*/}" name link$links ${1:+mtu $1} up
    done
}

# A VM with links to others bridges them with its NIC; $interface is where its own address belongs, bridge or NIC.
# make_bridge NIC needs no device yet, bridge_links NIC does.
make_bridge() {
    interface=$1
    has_links || return 0
    interface=br0
    brctl addbr br0
    echo 0 > /sys/class/net/br0/bridge/forward_delay
}

bridge_links() {
    ip link set "$1" up
    has_links || return 0
    # Its own address stays the NIC's, whichever address a link has.
    read -r nic_address < "/sys/class/net/$1/address"
    ip link set br0 address "$nic_address" up
    brctl addif br0 "$1"
    bring_up_links 1500 || echo 'CM_ERROR no link appeared' # could be more, the NIC cannot
    for number in $(seq "$links"); do brctl addif br0 "link$number"; done
}

# parameter NAME DEFAULT: the value of NAME=... on the kernel command line
parameter() {
    for word in $command_line; do
        case $word in "$1="*) echo "${word#*=}"; return ;; esac
    done
    echo "$2"
}

# wait_for PATH SECONDS: true as soon as PATH exists
wait_for() { until_true "$2" [ -e "$1" ]; }

# wait_for_text FILE TEXT SECONDS: true as soon as FILE's first line is TEXT
wait_for_text() { until_true "$3" line_is "$1" "$2"; }
line_is() { read -r line < "$1" && [ "$line" = "$2" ]; } 2> /dev/null

# until_true SECONDS CONDITION...
until_true() {
    tries=$(($1 * 50))
    shift
    until "$@"; do
        [ $tries -gt 0 ] || return 1
        tries=$((tries - 1))
        sleep 0.02
    done
}

# A minute of silence after this and the hypervisor starts the VM again (cm.watchdog=SECONDS: another time). Natively
# there is no such watchdog.
watch_me() {
    limit=$(parameter cm.watchdog 60)
    [ ! -e /dev/watchdog0 ] || watchdog -T "$limit" -t $((limit / 4)) /dev/watchdog0
}

# For tests of restarts: the kernel panics after cm.crash_after=SECONDS, and with cm.crash_by=hang it does not reset.
crash_if_told() {
    crash_after=$(parameter cm.crash_after never)
    [ "$crash_after" != never ] || return 0
    [ "$(parameter cm.crash_by panic)" = panic ] || echo 0 > /proc/sys/kernel/panic
    (sleep "$crash_after" && echo c > /proc/sysrq-trigger) &
}

# The first process must never end: the kernel would panic.
stay() { while :; do sleep 3600; done; }
