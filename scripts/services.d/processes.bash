# shellcheck shell=bash
# Servers as processes: told apart by number and command line, never by name.

# Prints the command line of a living process; a zombie has none.
command_of() {
    if [[ -d /proc/self ]]; then tr '\0' ' ' <"/proc/$1/cmdline"; else ps -o args= -p "$1"; fi 2>/dev/null || true
}

# Says whether the server that DIR/env knows under this name lives and is still ours (numbers are used again).
lives() {
    local pid mark
    pid=$(value "$(pid_key "$1")")
    case $1 in
        postgres) mark="-D $dir/postgres/data" ;;
        standby) mark="-D $dir/postgres/standby" ;;
        rabbitmq) mark="-home $dir/rabbitmq" ;;
        epmd) mark="-port $(value CHORUS_EPMD_PORT)" ;;
        *) die "there is no server $1: postgres or rabbitmq" ;;
    esac
    [[ -n $pid && $(command_of "$pid") == *"$mark"* ]]
}
gone() { ! lives "$1"; }

# Polls a condition until it holds or the seconds are over.
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# Signals one of our servers and waits until it is gone, with -9 if need be.
end() {
    local name=$1 signal=$2 pid
    lives "$name" || return 0
    pid=$(value "$(pid_key "$name")")
    kill "-$signal" "$pid" 2>/dev/null || true
    await 10 gone "$name" && return
    kill -KILL "$pid" 2>/dev/null || true
    await 10 gone "$name" || say "process $pid ($name) would not end"
}

# Says whether a server that is to be started runs already. One that was just signalled lives and even answers a moment longer.
stays() {
    lives "$1" || return 1
    await 2 gone "$1" && return 1
    if "$1_answers"; then return 0; fi
    await 20 gone "$1" || die "$1 neither answers nor ends: process $(value "$(pid_key "$1")")"
    return 1
}

# Starts a server in the background, detached from this terminal, and waits until READY holds. One that dies at once is
# tried again for a while: after kill -9 its predecessor's children may still hold the files.
launch() {
    local name=$1 log=$2 ready=$3 pid end=$((SECONDS + 120)) tries=0
    shift 3
    while ((SECONDS < end && tries++ < 20)); do
        if has setsid; then setsid "$@" </dev/null >>"$log" 2>&1 & else nohup "$@" </dev/null >>"$log" 2>&1 & fi
        pid=$!
        disown
        note "$(pid_key "$name")" "$pid"
        while kill -0 "$pid" 2>/dev/null && ((SECONDS < end)); do
            if $ready; then return; fi
            sleep 0.1
        done
        sleep 0.3
    done
    tail -n 20 "$log" >&2
    die "$name did not start; its log is above"
}

# Prints a loopback port that is free. The slot keeps the ports of one call of this script apart; the range lies below
# the one from which the kernel serves outgoing connections.
free_port() {
    local port tries
    for ((tries = 0; tries < 50; tries++)); do
        port=$((20000 + RANDOM % 3000 * 4 + $1))
        listens 127.0.0.1 "$port" || { echo "$port"; return; }
    done
    die "found no free port on 127.0.0.1 between 20000 and 32000"
}

as=(env) # how to run a command as the server's own user

# Makes a server's folder; as root, for the user that the package made, since neither server runs as root.
folder() {
    mkdir -p "$dir/$1"
    if ((EUID == 0)); then
        as=(setpriv --reuid "$1" --regid "$1" --init-groups --)
        chmod 711 "$dir"
        chown "$1:" "$dir/$1"
        "${as[@]}" test -w "$dir/$1" || die "user $1 cannot enter $dir: choose another folder, or set TMPDIR to one that others may enter"
    fi
}

# Says whether anything listens at a host and a port.
listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
