# shellcheck shell=bash
# RabbitMQ: the one on the default port, or a private node from the package.

# Prints class.method of the next AMQP frame on descriptor 3.
frame() {
    local a b c d payload
    read -r _ _ _ a b c d <<<"$(timeout 5 head -c 7 <&3 | od -An -v -tu1)"
    payload=$(timeout 5 head -c "$((((a * 256 + b) * 256 + c) * 256 + d + 1))" <&3 | od -An -v -tu1 | tr '\n' ' ')
    read -r a b c d _ <<<"$payload"
    echo "$((a * 256 + b)).$((c * 256 + d))"
}

# Says whether guest may open this virtual host: a port that listens proves little while a broker is starting.
amqp_opens() (
    exec 2>/dev/null
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    name=$(printf '\\x%02x' "${#2}")
    payload=$(printf '\\x%02x' "$((${#2} + 7))")
    printf 'AMQP\x00\x00\x09\x01' >&3
    [[ $(frame) == 10.10 ]] || exit 1 # start
    printf '\x01\x00\x00\x00\x00\x00\x24\x00\x0a\x00\x0b\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x0c\x00guest\x00guest\x05en_US\xce' >&3
    [[ $(frame) == 10.30 ]] || exit 1 # tune: the password was right
    printf '\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x1f\x00\x01\x00\x02\x00\x00\x00\x00\xce' >&3
    # shellcheck disable=SC2059 # the lengths are escapes on purpose
    printf "\x01\x00\x00\x00\x00\x00$payload\x00\x0a\x00\x28$name%s\x00\x00\xce" "$2" >&3
    [[ $(frame) == 10.41 ]] || exit 1 # open-ok
    printf '\x01\x00\x00\x00\x00\x00\x0b\x00\x0a\x00\x32\x00\xc8\x00\x00\x00\x00\x00\xce' >&3
    [[ $(frame) == 10.51 ]]
)

# The package's own scripts: the ones in Debian's PATH are wrappers that insist on the system's node.
rabbitmq_bin() {
    local bin
    for bin in /usr/lib/rabbitmq/bin "$(dirname "$(readlink -f "$(command -v rabbitmq-server || echo .)")")"; do
        [[ -x $bin/rabbitmq-server && -f $bin/rabbitmq-env ]] && { echo "$bin"; return; }
    done
    return 1
}

# Takes the URL from the environment as it is, if it works; only guest's can be tried from here.
rabbitmq_given() {
    local url=${CHORUS_TEST_AMQP:-} own='^amqp://guest:guest@(127\.0\.0\.1|localhost)(:([0-9]+))?/([^?]+)'
    [[ -n $url ]] || return 1
    if [[ $url =~ $own ]]; then
        amqp_opens "${BASH_REMATCH[3]:-5672}" "$(sed 's|%2[fF]|/|g' <<<"${BASH_REMATCH[4]}")"
    else
        reachable "$url" 5672
    fi || die "CHORUS_TEST_AMQP is set, but no broker opens ${url##*@} (unset it to let this script find one)"
    note CHORUS_TEST_AMQP "$url"
}

rabbitmq_here() {
    local vhost=chorus-test-$$
    [[ -z ${CHORUS_TEST_PRIVATE:-} ]] && amqp_opens 5672 / || return 1
    note CHORUS_TEST_AMQP "amqp://guest:guest@127.0.0.1:5672/%2f"
    if ((EUID == 0)) && has rabbitmqctl; then
        later delete_vhost "$vhost"
        timeout 60 rabbitmqctl -q add_vhost "$vhost" >/dev/null 2>&1 || true
        timeout 60 rabbitmqctl -q set_permissions -p "$vhost" guest '.*' '.*' '.*' >/dev/null 2>&1 || true
        # rabbitmqctl may have spoken to another broker than the one on the port.
        if amqp_opens 5672 "$vhost"; then
            note CHORUS_TEST_AMQP "amqp://guest:guest@127.0.0.1:5672/$vhost"
            return
        fi
    fi
    say "rabbitmqctl does not reach this broker: the tests use its default virtual host, and their queues stay there"
}
delete_vhost() {
    timeout 60 rabbitmqctl -q delete_vhost "$1" >/dev/null 2>&1 && return
    if timeout 60 rabbitmqctl -q list_vhosts 2>/dev/null | grep -qx "$1"; then say "could not delete the virtual host $1"; fi
}

# Runs a command in the private node's world and in nothing of the caller's.
rabbitmq() {
    local port epmd
    port=$(value CHORUS_RABBITMQ_PORT)
    epmd=$(value CHORUS_EPMD_PORT)
    env=(env -i PATH="$PATH" LANG=C.UTF-8 HOME="$dir/rabbitmq"
        ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1 ERL_FLAGS='-kernel inet_dist_use_interface {127,0,0,1}'
        RABBITMQ_NODENAME="chorus-$port@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$port"
        RABBITMQ_DIST_PORT="$(value CHORUS_RABBITMQ_DIST_PORT)"
        RABBITMQ_MNESIA_BASE="$dir/rabbitmq/mnesia" RABBITMQ_LOG_BASE="$dir/rabbitmq/log"
        RABBITMQ_CONFIG_FILE="$dir/rabbitmq/rabbitmq.conf" RABBITMQ_CONF_ENV_FILE="$dir/rabbitmq/no-env.conf"
        RABBITMQ_ENABLED_PLUGINS_FILE="$dir/rabbitmq/enabled_plugins")
    "$@"
}
rabbitmq_answers() { amqp_opens "$(value CHORUS_RABBITMQ_PORT)" "$(value CHORUS_TEST_AMQP | sed 's|.*/||')"; }
epmd_answers() { listens 127.0.0.1 "$(value CHORUS_EPMD_PORT)"; }
start_rabbitmq() {
    local epmd env
    if stays rabbitmq; then return; fi
    epmd=$(command -v epmd) || die "epmd is missing: it comes with Erlang (apt-get install erlang-base)"
    folder rabbitmq
    lives epmd || launch epmd "$dir/rabbitmq/epmd.log" epmd_answers \
        "${as[@]}" "$epmd" -port "$(value CHORUS_EPMD_PORT)" -address 127.0.0.1
    # "Under systemd" the script becomes the node instead of watching over it: one process, one number.
    rabbitmq launch_rabbitmq
}
launch_rabbitmq() {
    (cd "$dir/rabbitmq" && launch rabbitmq "$dir/rabbitmq/console.log" rabbitmq_answers \
        "${as[@]}" "${env[@]}" RUNNING_UNDER_SYSTEMD=true "$(rabbitmq_bin)/rabbitmq-server")
}
make_rabbitmq() {
    local port vhost=chorus-test-$$
    port=$(free_port 1)
    later remove_rabbitmq
    folder rabbitmq
    note CHORUS_RABBITMQ_PORT "$port"
    note CHORUS_RABBITMQ_DIST_PORT "$(free_port 2)"
    note CHORUS_EPMD_PORT "$(free_port 3)"
    note CHORUS_TEST_AMQP "amqp://guest:guest@127.0.0.1:$port/$vhost"
    echo '[].' >"$dir/rabbitmq/enabled_plugins"
    printf 'default_vhost = %s\ndisk_free_limit.absolute = 50MB\n' "$vhost" >"$dir/rabbitmq/rabbitmq.conf"
    start_rabbitmq
}
ctl() {
    local env
    folder rabbitmq
    rabbitmq run_ctl "$@"
}
run_ctl() { (cd "$dir/rabbitmq" && "${as[@]}" "${env[@]}" "$(rabbitmq_bin)/rabbitmqctl" "$@"); }
remove_rabbitmq() {
    end rabbitmq KILL # nothing here is to be kept
    end epmd KILL
    await 10 rm -rf "$dir/rabbitmq" 2>/dev/null || say "could not remove $dir/rabbitmq"
}
