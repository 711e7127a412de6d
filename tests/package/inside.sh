# SPDX-License-Identifier: Apache-2.0
# Runs in the copy that package_test.sh made, as root, with /package.deb. Each check prints a line.
set -u
check() { # check SENTENCE COMMAND...
    local sentence=$1 output
    shift
    if output=$("$@" 2>&1); then echo "[test] package: $sentence ok"
    else printf '[test] package: NOT %s\n%s\n' "$sentence" "$output"
    fi
}
not() { ! "$@"; }
etc=/etc/casemate-verifierd
state=/var/lib/casemate-verifierd
unit=/lib/systemd/system/casemate-verifierd.service

# An older package: the same but for its version and one comment of the configuration.
older() {
    local work
    work=$(mktemp -d)
    dpkg-deb -R /package.deb "$work"
    sed -i 's/^Version: .*/Version: 0.0.9/' "$work/DEBIAN/control"
    sed -i '2s/^/# of the older package\n/' "$work/etc/casemate-verifierd/verifierd.toml"
    (cd "$work" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
    dpkg-deb --root-owner-group -b "$work" /older.deb >/dev/null
    rm -rf "$work"
}

make_keys() {
    cd $etc || return
    for key in grant audit result; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $key.key; done
    openssl rand -hex 32 >operator.token
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.pem -days 2 -subj /CN=verifier \
        -addext subjectAltName=IP:127.0.0.1
    chown casemate-verifierd: ./*.key operator.token
    chmod 0600 ./*.key operator.token
} 2>/dev/null

# As the unit would, by its own line.
start() {
    install -d -m 0700 -o casemate-verifierd -g casemate-verifierd $state
    local line
    line=$(sed -n 's/^ExecStart=//p' $unit)
    # shellcheck disable=SC2086
    rm -f /tmp/status
    (
        setpriv --reuid casemate-verifierd --regid casemate-verifierd --clear-groups --no-new-privs --bounding-set=-all $line >/tmp/log 2>&1 &
        echo $! >/tmp/pid
        wait $!
        echo $? >/tmp/status
    ) </dev/null >/dev/null 2>&1 &
    for _ in $(seq 300); do
        ask /readyz && return 0
        sleep 0.1
    done
    cat /tmp/log
    return 1
}
ask() { # ask PATH [TOKEN_FILE]: prints the answer, status 0 for 200
    python3 - "$1" "${2:-}" <<'PY'
import ssl, sys, urllib.request
request = urllib.request.Request("https://127.0.0.1:8443" + sys.argv[1])
if sys.argv[2]:
    request.add_header("Authorization", "Bearer " + open(sys.argv[2]).read().strip())
try:
    context = ssl.create_default_context(cafile="/etc/casemate-verifierd/tls.pem")
    print(urllib.request.urlopen(request, context=context, timeout=5).read().decode())
except Exception as failure:
    sys.exit(str(failure))
PY
}
stop() {
    kill -TERM "$(cat /tmp/pid)" || return 1
    for _ in $(seq 100); do
        [ -s /tmp/status ] && break
        sleep 0.1
    done
    [ "$(cat /tmp/status)" = 0 ]
}

check "the package installs" dpkg -i /package.deb
check "dpkg finds nothing wrong with it" test -z "$(dpkg --verify casemate-verifierd; dpkg --audit casemate-verifierd)"
check "there is a user for it, without a shell" bash -c 'getent passwd casemate-verifierd | grep -q ":/usr/sbin/nologin$"'
check "strangers cannot enter the directory of its keys" test "$(stat -c '%a %U %G' $etc)" = "750 root casemate-verifierd"
check "the service is not enabled" not test -e /etc/systemd/system/multi-user.target.wants/casemate-verifierd.service
check "the unit is valid" systemd-analyze verify --man=no $unit
check "systemd finds the unit well confined" systemd-analyze security --offline=true --no-pager --threshold=15 $unit
check "a weaker unit would be noticed" not bash -c "sed '/^Protect/d; /^Restrict/d; /^SystemCall/d; /^Capab/d' $unit >/tmp/weak.service && systemd-analyze security --offline=true --no-pager --threshold=15 /tmp/weak.service"
for page in casemate.1 casemate-verifierd.8; do
    check "the page $page is well written" mandoc -Tlint -Wwarning "/usr/share/man/man${page##*.}/$page.gz"
done
# Every option has its word in the page, and the page names no other.
check "casemate-verifierd(8) has exactly the options of --help" diff \
    <(casemate-verifierd --help | grep -oE '^  (-h,)?--[a-z-]+' | grep -oE '\-\-[a-z-]+' | sort -u) \
    <(zcat /usr/share/man/man8/casemate-verifierd.8.gz | grep -E '^\.It Fl' | grep -oE 'Fl -[a-z-]+|, -[a-z-]+' | sed -E 's/^(Fl |, )/-/' | sort -u)
check "casemate(1) names every command" bash -c 'for group in $(casemate --help | sed -n "/^Subcommands/,\$p" | grep -oE "^  [a-z]+"); do
    for command in $(casemate $group --help | sed -n "/^Subcommands/,\$p" | grep -oE "^  [a-z-]+"); do
        zcat /usr/share/man/man1/casemate.1.gz | sed "s/Cm //g" | grep -q "$group $command" || { echo "$group $command"; exit 1; }
    done
done'
check "the completion knows every command" bash -c '. /usr/share/bash-completion/completions/casemate
complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _casemate; printf "%s\n" "${COMPREPLY[@]}" | grep -v -- -- | sort; }
groups=$(casemate --help | sed -n "/^Subcommands/,\$p" | grep -oE "^  [a-z]+" | tr -d " " | sort)
diff <(echo "$groups") <(complete_words casemate "") || exit 1
for group in $groups; do
    diff <(casemate $group --help | sed -n "/^Subcommands/,\$p" | grep -oE "^  [a-z-]+" | tr -d " " | sort) <(complete_words casemate $group "") || exit 1
done'
check "it does not start without the owner's keys" not casemate-verifierd --config $etc/verifierd.toml
make_keys
install -m 0600 $etc/operator.token /tmp/token
operator="--url https://127.0.0.1:8443 --ca $etc/tls.pem --token /tmp/token"
check "it starts with the packaged configuration, as its user, and is ready" start
check "it tells strangers no metrics" not ask /metrics
check "it tells operators its metrics" bash -c "$(declare -f ask); ask /metrics $etc/operator.token | grep -q '^casemate_ready 1'"
check "the packaged command line lists its platforms" bash -c "casemate platform list $operator"
check "and makes a token" bash -c "casemate token create alice --role viewer $operator"
check "nobody else can read the store" test "$(stat -c %a $state $state/store $state/store/verifier.sqlite | tr '\n' ' ')" = "700 700 600 "
check "it stops in order" stop
check "its audit trail is there, signed and intact" bash -c "openssl pkey -in $etc/audit.key -pubout -out /tmp/audit.pub.pem &&
    casemate audit export --store sqlite:$state/store/verifier.sqlite /tmp/trail && grep -q create_token /tmp/trail && casemate audit verify /tmp/trail --key /tmp/audit.pub.pem"

check "removal leaves configuration, keys and store" bash -c "dpkg -r casemate-verifierd && test -s $etc/verifierd.toml -a -s $etc/grant.key -a -s $state/store/verifier.sqlite"
check "removal leaves no program, unit or page" not ls /usr/sbin/casemate-verifierd /usr/bin/casemate $unit /usr/share/man/man8/casemate-verifierd.8.gz
check "installed again it finds its store and starts" bash -c "dpkg -i /package.deb && test -s $state/store/verifier.sqlite"
check "purging deletes store and configuration, and keeps the owner's keys" bash -c "dpkg -P casemate-verifierd && test ! -e $state -a ! -e $etc/verifierd.toml -a -s $etc/grant.key"

older
check "an older package installs" dpkg -i /older.deb
echo '# by the owner' >>$etc/verifierd.toml
check "an upgrade keeps what the owner changed, the keys and the store" bash -c "
    install -d $state && echo x >$state/kept && dpkg --force-confold -i /package.deb && dpkg-query -W casemate-verifierd | grep -q '0\.1\.0' &&
    grep -q 'by the owner' $etc/verifierd.toml && test -s $state/kept -a -s $etc/grant.key"
check "after the upgrade it starts" start
check "and stops" stop
rm -f $etc/*.key $etc/*.pem $etc/operator.token
check "purged without keys, nothing is left" bash -c "dpkg -P casemate-verifierd && test ! -e $etc -a ! -e $state"
echo "inside: done"
