# shellcheck shell=bash
# Containers of the images that docker-compose.yml names, where a docker engine answers.

docker_answers() { [[ -z ${CHORUS_TEST_PRIVATE:-} ]] && has docker && timeout 10 docker info >/dev/null 2>&1; }

# Runs the image that docker-compose.yml names for a service, on a free loopback port, and prints that port.
container() {
    local image id port
    image=$(awk -v want="$1:" '$1 == "image:" && index($2, want) == 1 { print $2; exit }' docker-compose.yml)
    port=$2
    shift 2
    say "starting a container of $image"
    id=$(docker run --detach --rm --publish "127.0.0.1::$port" "$@" "$image") || return 1
    later docker rm --force --volumes "$id"
    docker port "$id" "$port/tcp" | sed -n '1s/.*://p'
}
container_postgres() {
    local port
    docker_answers && port=$(container postgres 5432 --env POSTGRES_HOST_AUTH_METHOD=trust --env "POSTGRES_DB=chorus_test_$$") || return 1
    note CHORUS_TEST_POSTGRES "postgres://postgres@127.0.0.1:$port/chorus_test_$$"
    # The image's own set-up runs on a socket only, so an answer over TCP means that it is done.
    await 60 postgres_greets "$port" || { say "the container of PostgreSQL did not answer within 60 s"; return 1; }
}
# Says whether PostgreSQL answers "may I use TLS?": docker's proxy accepts connections for a port that nobody serves yet.
postgres_greets() (
    exec 2>/dev/null
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf '\x00\x00\x00\x08\x04\xd2\x16\x2f' >&3
    [[ $(timeout 5 head -c 1 <&3) == [NS] ]]
)
container_rabbitmq() {
    local port
    docker_answers && port=$(container rabbitmq 5672 --env "RABBITMQ_DEFAULT_VHOST=chorus-test-$$") || return 1
    note CHORUS_TEST_AMQP "amqp://guest:guest@127.0.0.1:$port/chorus-test-$$"
    await 120 amqp_opens "$port" "chorus-test-$$" || { say "the container of RabbitMQ did not answer within 120 s"; return 1; }
}
