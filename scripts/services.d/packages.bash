# shellcheck shell=bash
# Debian's packages of the two servers, and of what some tests need beside them.

# Installs packages without letting them start their own servers.
packages() {
    ((EUID == 0)) && has apt-get || return 1
    say "installing $* with apt-get"
    (
        policy=/usr/sbin/policy-rc.d log=$(mktemp)
        trap 'rm -f "$log"' EXIT
        if [[ ! -e $policy ]]; then
            trap 'rm -f "$log" "$policy"' EXIT
            printf '#!/bin/sh\nexit 101\n' >"$policy"
            chmod 755 "$policy"
        fi
        export DEBIAN_FRONTEND=noninteractive
        { apt-get update && apt-get install -y --no-install-recommends "$@"; } </dev/null >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
    )
}
postgres_package() { { postgres_bin >/dev/null && has psql; } || { packages postgresql && postgres_bin >/dev/null; }; }
rabbitmq_package() { rabbitmq_bin >/dev/null || { packages rabbitmq-server && rabbitmq_bin >/dev/null; }; }
# A library that lies about the time: the crash suite leaves clocks alone without it.
faketime_package() { compgen -G '/usr/lib*/*/faketime/libfaketime.so.1' >/dev/null || packages libfaketime; }
# A browser without a window: the API's tests open no page without it.
browser_package() { has chromium-headless-shell || has chromium || packages chromium-headless-shell; }
install() {
    postgres_package || die "no PostgreSQL, and it cannot be installed from here: apt-get install postgresql as root"
    rabbitmq_package || die "no RabbitMQ, and it cannot be installed from here: apt-get install rabbitmq-server as root"
    faketime_package || say "no libfaketime: tests of clocks that are off are left out"
    browser_package || say "no chromium-headless-shell: tests of pages in a browser are left out"
}
