# shellcheck shell=bash
# PostgreSQL: the one on the default port, or a private one from the package.

# Runs SQL at a URL, with no password from anywhere: what works here must work for the tests.
ask() {
    env -u PGPASSWORD PGPASSFILE="$dir/no-passwords" PGCONNECT_TIMEOUT=5 PGOPTIONS='-c client_min_messages=warning' \
        psql -w -X -q -At -v ON_ERROR_STOP=1 "$1" <<<"$2"
}

postgres_bin() {
    local bin
    for bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) "$(dirname "$(command -v initdb || echo .)")"; do
        [[ -x $bin/initdb && -x $bin/postgres ]] && { echo "$bin"; return; }
    done
    return 1
}

# Makes the throw-away database at a server and notes its URL. A name that is taken is another run's: left alone.
database() {
    local name=chorus_test_$$
    [[ -z $(ask "$1/postgres" "SELECT 1 FROM pg_database WHERE datname = '$name'") ]] || name=${name}x$RANDOM
    later drop_database "$1" "$name"
    # A signal here would end psql and not what it asked for, which would be made after it was dropped.
    (trap '' INT TERM HUP; ask "$1/postgres" "CREATE DATABASE $name") || return
    note CHORUS_TEST_POSTGRES "$1/$name"
}
drop_database() {
    ask "$1/postgres" "SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
        WHERE datname = '$2' OR starts_with(datname, '$2_') \\gexec" || say "could not drop the database $2 at $1"
}

# Takes the URL from the environment as it is, if it works.
postgres_given() {
    local url=${CHORUS_TEST_POSTGRES:-} trouble
    [[ -n $url ]] || return 1
    if has psql; then
        trouble=$(PGCONNECT_TIMEOUT=5 psql -w -X -q "$url" -c 'SELECT 1' 2>&1 >/dev/null) || die "CHORUS_TEST_POSTGRES is set, but ${trouble//$'\n'/ } (unset it to let this script find one)"
    else
        reachable "$url" 5432 || die "CHORUS_TEST_POSTGRES is set, but nothing answers there (unset it to let this script find one)"
    fi
    note CHORUS_TEST_POSTGRES "$url"
}

postgres_here() {
    local user base=
    [[ -z ${CHORUS_TEST_PRIVATE:-} ]] && has psql && listens 127.0.0.1 5432 || return 1
    for user in postgres root "$(id -un)"; do
        base=postgres://$user@127.0.0.1:5432
        if [[ $(ask "$base/postgres" "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user" 2>/dev/null) == t ]]; then
            database "$base"
            return
        fi
    done
    return 1
}

postgres_answers() { "$(postgres_bin)/pg_isready" -q -t 1 -U postgres -h 127.0.0.1 -p "$(value CHORUS_POSTGRES_PORT)"; }
start_postgres() {
    local bin
    if stays postgres; then return; fi
    bin=$(postgres_bin)
    folder postgres
    launch postgres "$dir/postgres/log" postgres_answers "${as[@]}" "$bin/postgres" -D "$dir/postgres/data"
}
make_postgres() {
    local bin port
    bin=$(postgres_bin)
    port=$(free_port 0)
    later remove_postgres
    folder postgres
    note CHORUS_POSTGRES_PORT "$port"
    (cd "$dir/postgres" && "${as[@]}" "$bin/initdb" -D "$dir/postgres/data" -U postgres -A trust -E UTF8 --locale=C --no-sync) \
        >"$dir/postgres/log" 2>&1 || { cat "$dir/postgres/log" >&2; die "initdb failed, see above"; }
    # Shared memory as files in the data folder: kill -9 leaves nothing in /dev/shm.
    cat >>"$dir/postgres/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 200
fsync = on
synchronous_commit = on
dynamic_shared_memory_type = mmap
CONF
    start_postgres
    database "postgres://postgres@127.0.0.1:$port"
}
standby_answers() { "$(postgres_bin)/pg_isready" -q -t 1 -U postgres -h 127.0.0.1 -p "$(value CHORUS_STANDBY_PORT)"; }
# Copies the private server and has the copy follow it, by whatever listens at a port on the way there.
make_standby() {
    local bin
    bin=$(postgres_bin)
    later end standby QUIT
    folder postgres
    note CHORUS_STANDBY_PORT "$(free_port 0)"
    (cd "$dir/postgres" && "${as[@]}" "$bin/pg_basebackup" -h 127.0.0.1 -p "$1" -U postgres -w -D "$dir/postgres/standby" -R -X stream -c fast --no-sync) ||
        die "the private server could not be copied"
    launch standby "$dir/postgres/standby.log" standby_answers \
        "${as[@]}" "$bin/postgres" -D "$dir/postgres/standby" -c "port=$(value CHORUS_STANDBY_PORT)"
}
remove_postgres() {
    end postgres QUIT
    # A server that was killed and not started again leaves its interlock segment: line 7 is "key id".
    local segment
    segment=$(sed -n '7s/.* //p' "$dir/postgres/data/postmaster.pid" 2>/dev/null) || true
    [[ -z $segment ]] || ipcrm -m "$segment" 2>/dev/null || true
    await 10 rm -rf "$dir/postgres" 2>/dev/null || say "could not remove $dir/postgres"
}
