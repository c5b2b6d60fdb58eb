# The cluster on one machine, for ./umbel cluster, down and status; sourced by ../umbel, whose helpers it uses.
#
#   PostgreSQL <-- core-1, core-2 <-- gateway-1, gateway-2 <-- HAProxy <-- users       all on 127.0.0.1
#   Redis: redis-1, redis-2, redis-3, one of them the master; guarded by sentinel-1, sentinel-2, sentinel-3
#
# Every part is one process with a folder of its own, DIR/cluster/<part>: its pid, port, log, configuration, data.
# A start from nothing chooses ports that are free and writes what PostgreSQL, Redis and HAProxy need to know anew.
# The properties in DIR/cluster/conf are written once and are the user's. A start beside what lives starts what has
# died, on the port that the others know. Passwords stand in files that only their user may read, never on a
# command line.

STORES=(postgres redis-1 redis-2 redis-3 sentinel-1 sentinel-2 sentinel-3)
CORES=(core-1 core-2)
GATEWAYS=(gateway-1 gateway-2)
PARTS=("${STORES[@]}" "${CORES[@]}" "${GATEWAYS[@]}" haproxy)
PROPERTIES=()                    # --key=value of the command line, for every core and gateway
FRESH=no                         # nothing ran when we came
MASTER=mymaster                  # what the sentinels call the master; conf/redis/sentinel.conf knows it too

# --- parts -----------------------------------------------------------------------------------------------
cluster_options() {
    local options=()
    while [ $# -gt 0 ]; do
        case $1 in
            --dir|--port) options+=("$1" "${2:-}"); [ $# -lt 2 ] || shift ;;
            --dir=*|--port=*) options+=("$1") ;;
            --?*=*) PROPERTIES+=("$1") ;;
            *) options+=("$1") ;;
        esac
        shift
    done
    run_options "${options[@]}"
}

port_of() { cat "$CLUSTER/$1/port" 2>/dev/null; }

# Of a process that we started and that still lives: it works in its part's folder. Another one that has got its number
# since does not.
part_pid() {
    local pid cwd
    pid=$(cat "$CLUSTER/$1/pid" 2>/dev/null) && cwd=$(readlink "/proc/$pid/cwd") || return 1
    [[ $cwd/ == "$(readlink -f "$CLUSTER/$1")"/* ]] && echo "$pid"
}

is_running() { part_pid "$1" >/dev/null; }

running_parts() {
    local part
    for part in "${PARTS[@]}"; do
        if is_running "$part"; then echo "$part"; fi
    done
}

# launch PART COMMAND...: in the background, in its folder; no reader of our output waits for its end.
launch() {
    local part=$1
    shift
    (cd "$CLUSTER/$part" && exec setsid nohup "$@" >>log 2>&1 </dev/null) &
    echo $! >"$CLUSTER/$part/pid"
    disown
}

# await PART COMMAND...: until COMMAND succeeds; ends all of this when PART dies first, or takes longer than 30 s.
await() {
    local part=$1
    shift
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        kill -0 "$(cat "$CLUSTER/$part/pid")" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 15 "$CLUSTER/$part/log" >&2
    [ "$FRESH" = no ] || cluster_down
    die "$part did not start; its log is $CLUSTER/$part/log"
}

# --- ports -----------------------------------------------------------------------------------------------
is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the ports that the system gives to outgoing connections, so that a part finds its own again.
free_port() {
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! is_taken "$port" && ! grep -qsx "$port" "$CLUSTER"/*/port; then break; fi
    done
    echo "$port"
}

choose_ports() {
    local part port=${PORT:-$(port_of haproxy || echo 8080)}
    for part in "${PARTS[@]}"; do rm -f "$CLUSTER/$part/port"; done
    [ "$port" != 0 ] || port=$(free_port)
    if is_taken "$port"; then die "port $port is taken; choose another one: --port N (0: any)"; fi
    echo "$port" >"$CLUSTER/haproxy/port"
    for part in "${PARTS[@]}"; do
        if [ "$part" != haproxy ]; then free_port >"$CLUSTER/$part/port"; fi
    done
    free_port >"$CLUSTER/haproxy/cores.port"
    free_port >"$CLUSTER/haproxy/stats.port"
}

# --- configuration -----------------------------------------------------------------------------------------
property() { sed -n "s/^$2=//p" "$CLUSTER/conf/$1.properties"; }

make_folders() {
    local part
    mkdir -p "$CLUSTER"
    chmod 755 "$CLUSTER"                 # PostgreSQL's user must come through
    umask 077
    for part in conf "${PARTS[@]}"; do mkdir -p "$CLUSTER/$part"; done
}

# First run: what all share, one administrator with a random password, and one for the people of the sample.
first_cluster_configuration() {
    local redis sentinel key
    [ ! -f "$CLUSTER/conf/gui-gateway.properties" ] || return 0
    redis=$(random_text 32) sentinel=$(random_text 32) key=$(random_text 48) FIRST_PASSWORD=$(random_text 16) DEMO_PASSWORD=$(random_text 16)
    cat >"$CLUSTER/conf/core.properties" <<END
# Of both cores. Written by the first ./umbel cluster; yours from now on. Every key: the project's conf/core.properties.
token.key=$key
internal.realm.users[0].id=admin
internal.realm.users[0].password=$(hash_of "$FIRST_PASSWORD")
internal.realm.users[0].profiles=ADMIN,SYSTEM_ADMIN
# Scopes that are made when they do not exist: docs/admin/model.md
model.import=$ROOT/conf/model
model.variables.demo_password=$(hash_of "$DEMO_PASSWORD")
store.password=$(random_text 32)
spring.data.redis.password=$redis
spring.data.redis.sentinel.password=$sentinel
# Every connection comes from a gateway.
server.http.max-per-address=0
END
    cat >"$CLUSTER/conf/gui-gateway.properties" <<END
# Of both gateways. Written by the first ./umbel cluster; yours from now on. Every key: the project's
# conf/gui-gateway.properties.
token.key=$key
spring.data.redis.password=$redis
spring.data.redis.sentinel.password=$sentinel
# HAProxy is before them: it says who the client is, and every connection comes from it.
server.trusted-proxies=127.0.0.1
server.http.max-per-address=0
END
}

# Who was the master when all this ran last: its data are the newest.
last_master() {
    local port part
    port=$(sed -n "s/^sentinel monitor $MASTER [^ ]* \([0-9]*\) .*/\1/p" "$CLUSTER/sentinel-1/sentinel.conf" 2>/dev/null)
    for part in redis-1 redis-2 redis-3; do
        if [ -n "$port" ] && [ "$port" = "$(port_of "$part")" ]; then echo "$part"; return; fi
    done
    echo redis-1
}

# write_redis MASTER: Redis and Sentinel write into these files too, so they are the parts' own.
write_redis() {
    local master=$1 part password
    password=$(property core spring.data.redis.password)
    for part in redis-1 redis-2 redis-3; do
        cat >"$CLUSTER/$part/redis.conf" <<END
include "$ROOT/conf/redis/redis.conf"
bind 127.0.0.1
port $(port_of "$part")
dir "$CLUSTER/$part"
requirepass $password
masterauth $password
END
        [ "$part" = "$master" ] || echo "replicaof 127.0.0.1 $(port_of "$master")" >>"$CLUSTER/$part/redis.conf"
    done
    for part in sentinel-1 sentinel-2 sentinel-3; do
        cat >"$CLUSTER/$part/sentinel.conf" <<END
include "$ROOT/conf/redis/sentinel.conf"
bind 127.0.0.1
port $(port_of "$part")
dir "$CLUSTER/$part"
requirepass $(property core spring.data.redis.sentinel.password)
sentinel monitor $MASTER 127.0.0.1 $(port_of "$master") 2
sentinel auth-pass $MASTER $password
END
    done
}

# --- PostgreSQL: never as root --------------------------------------------------------------------------------
# setpriv becomes the program, so that its process id stays: runuser would remain as a parent.
AS_POSTGRES=()
[ "$(id -u)" -ne 0 ] || AS_POSTGRES=(setpriv --reuid=postgres --regid=postgres --init-groups --)

postgres_program() { printf '%s\n' /usr/lib/postgresql/*/bin/"$1" | sort -V | tail -n 1; }

# Where PostgreSQL's user may not go, below a private folder of root's, its files are beside those of its package.
place_postgres() {
    local home=$CLUSTER/postgres
    [ "$(id -u)" -eq 0 ] || return 0
    if [ ! -L "$home" ] && [ ! -d "$home/data" ] && ! "${AS_POSTGRES[@]}" test -x "$CLUSTER"; then
        rm -rf "$home"
        mkdir -p "/var/lib/postgresql/umbel-$(printf '%s' "$CLUSTER" | sha256sum | head -c 12)"
        ln -s "/var/lib/postgresql/umbel-$(printf '%s' "$CLUSTER" | sha256sum | head -c 12)" "$home"
    fi
    chown -R postgres:postgres "$home/"
}

first_database() {
    local home=$CLUSTER/postgres
    [ ! -f "$home/made" ] || return 0
    rm -rf "$home/data"
    property core store.password >"$home/password"
    place_postgres
    (cd "$home" && "${AS_POSTGRES[@]}" "$(postgres_program initdb)" -D data -U umbel -A scram-sha-256 --pwfile=password \
        -E UTF8 --locale=C.UTF-8 --no-instructions && echo 'CREATE DATABASE umbel' |
        "${AS_POSTGRES[@]}" "$(postgres_program postgres)" --single -D data postgres) >>"$home/log" 2>&1 ||
        { tail -n 15 "$home/log" >&2; die "the database could not be made; see $home/log"; }
    touch "$home/made"
}

# --- starting ----------------------------------------------------------------------------------------------
start_postgres() {
    first_database
    launch postgres "${AS_POSTGRES[@]}" "$(postgres_program postgres)" -D data -c listen_addresses=127.0.0.1 \
        -c port="$(port_of postgres)" -c unix_socket_directories= -c fsync=on -c synchronous_commit=on
    await postgres "$(postgres_program pg_isready)" -h 127.0.0.1 -p "$(port_of postgres)"
}

# redis_ask PART WORD...: the password goes by the environment, where ps does not show it.
redis_ask() {
    local part=$1
    shift
    REDISCLI_AUTH=$(property core "spring.data.redis.$([[ $part == sentinel-* ]] && echo sentinel.)password") \
        redis-cli --no-auth-warning -h 127.0.0.1 -p "$(port_of "$part")" "$@"
}

redis_says() {                   # redis_says PATTERN PART WORD...
    local pattern=$1
    shift
    redis_ask "$@" | grep -q "$pattern"
}

start_redis() {
    launch "$1" redis-server "$CLUSTER/$1/redis.conf"
    await "$1" redis_says PONG "$1" PING
}

start_sentinel() {
    launch "$1" redis-sentinel "$CLUSTER/$1/sentinel.conf"
    await "$1" redis_says PONG "$1" PING
}

# Every core and gateway: who it is and where the others are.
umbel_arguments() {
    local part=$1 nodes
    nodes=$(for s in sentinel-1 sentinel-2 sentinel-3; do printf ',127.0.0.1:%s' "$(port_of $s)"; done)
    ARGUMENTS=(--spring.config.location="$CLUSTER/conf/" --umbel.data-dir="$CLUSTER/$part" --server.address=127.0.0.1
        --server.port="$(port_of "$part")" --cluster.id="$part" --redis.enabled=true
        --spring.data.redis.sentinel.master="$MASTER" --spring.data.redis.sentinel.nodes="${nodes#,}")
}

start_core() {
    umbel_arguments "$1"
    launch "$1" "$BIN/umbel-core" "${ARGUMENTS[@]}" --store.url="postgresql://umbel@127.0.0.1:$(port_of postgres)/umbel" "${PROPERTIES[@]}"
    await "$1" curl -fsS -m 5 "http://127.0.0.1:$(port_of "$1")/core/actuator/health/readiness"
}

start_gateway() {
    local nodes
    nodes=$(for c in "${CORES[@]}"; do printf ',http://127.0.0.1:%s' "$(port_of "$c")"; done)
    umbel_arguments "$1"
    launch "$1" "$BIN/umbel-gateway" "${ARGUMENTS[@]}" --gui.web.dir="$WEB" --core.nodes="${nodes#,}" "${PROPERTIES[@]}"
    await "$1" curl -fsS -m 5 "http://127.0.0.1:$(port_of "$1")/gui/actuator/health/readiness"
}

start_haproxy() {
    launch haproxy env UMBEL_BIND="127.0.0.1:$(port_of haproxy)" \
        UMBEL_CORES_BIND="127.0.0.1:$(cat "$CLUSTER/haproxy/cores.port")" \
        UMBEL_STATS_BIND="127.0.0.1:$(cat "$CLUSTER/haproxy/stats.port")" \
        UMBEL_GATEWAY_1="127.0.0.1:$(port_of gateway-1)" UMBEL_GATEWAY_2="127.0.0.1:$(port_of gateway-2)" \
        UMBEL_CORE_1="127.0.0.1:$(port_of core-1)" UMBEL_CORE_2="127.0.0.1:$(port_of core-2)" \
        haproxy -db -f "$ROOT/conf/haproxy/haproxy.cfg"
    await haproxy curl -fsS -m 5 "http://127.0.0.1:$(port_of haproxy)/gui/actuator/health/readiness"
}

start_part() {
    is_running "$1" || "start_${1%-[0-9]}" "$1"
}

# What Redis and the sentinels need before a failover can succeed.
await_guard() {
    local sentinel
    await "$1" redis_says '^connected_slaves:2' "$1" INFO replication
    for sentinel in sentinel-1 sentinel-2 sentinel-3; do
        await "$sentinel" redis_says '^OK' "$sentinel" SENTINEL CKQUORUM "$MASTER"
    done
}

cmd_cluster() {
    local part master="" any
    FIRST_PASSWORD=
    cluster_options "$@"
    need "${PACKAGES_RUN[@]}" "${PACKAGES_CLUSTER[@]}"
    make_ready
    make_folders
    place_postgres
    any=$(running_parts)
    if [ "$any" = "$(printf '%s\n' "${PARTS[@]}")" ]; then
        say "It runs already.${PROPERTIES:+ Properties count at the next start.}"
        announce_cluster
        return 0
    fi
    first_cluster_configuration
    if [ -z "$any" ]; then
        FRESH=yes
        master=$(last_master)
        choose_ports
        write_redis "$master"
    fi
    for part in "${STORES[@]}"; do start_part "$part"; done
    [ -z "$master" ] || await_guard "$master"
    for part in "${CORES[@]}" "${GATEWAYS[@]}" haproxy; do start_part "$part"; done
    announce_cluster
    [ "$DETACH" = yes ] && return 0
    trap 'echo; cluster_down; exit 0' INT TERM
    say "Ctrl-C ends it."
    watch_cluster
}

# Tells of every death once. Nothing is started again: that the others go on is what this is for.
watch_cluster() {
    local part lost=" "
    while [ -n "$(running_parts)" ]; do
        for part in "${PARTS[@]}"; do
            if is_running "$part"; then
                lost=${lost/ $part / }
            elif [[ $lost != *" $part "* ]]; then
                lost+="$part "
                say "$part has ended; its log is $CLUSTER/$part/log. ./umbel cluster --dir $DIR --detach starts it again"
            fi
        done
        sleep 1
    done
    die "all processes have ended"
}

announce_cluster() {
    local part
    echo
    say "The cluster is running."
    echo "  URL        http://127.0.0.1:$(port_of haproxy)/gui/"
    announce_logins "$CLUSTER/conf/core.properties"
    echo "  providers  ws://127.0.0.1:$(port_of haproxy)/collab"
    echo "  balancer   http://127.0.0.1:$(cat "$CLUSTER/haproxy/stats.port")/ shows who is up"
    for part in "${PARTS[@]}"; do
        printf '  %-10s 127.0.0.1:%-5s  pid %s\n' "$part" "$(port_of "$part")" "$(part_pid "$part")"
    done
    echo "  settings   $CLUSTER/conf"
    echo "  logs       $CLUSTER/<part>/log"
    echo "  stop       ./umbel down --dir $DIR"
}

# --- ending --------------------------------------------------------------------------------------------------
# stop_parts SIGNAL PART...: at once, then waits for each.
stop_parts() {
    local signal=$1 part pid pids=()
    shift
    for part in "$@"; do
        if pid=$(part_pid "$part"); then
            pids+=("$pid")
            kill -CONT "$pid"
            kill "-$signal" "$pid"
        fi
    done
    for pid in "${pids[@]}"; do
        for _ in $(seq 350); do readlink "/proc/$pid/cwd" >/dev/null || break; sleep 0.1; done
        if readlink "/proc/$pid/cwd" >/dev/null; then kill -KILL "$pid"; fi
    done
    for part in "$@"; do rm -f "$CLUSTER/$part/pid"; done
}

# From the outside in: nobody loses what he needs to end well. Returns 1 when nothing was there.
cluster_down() {
    [ -n "$(running_parts)" ] || return 1
    stop_parts TERM haproxy
    stop_parts TERM "${GATEWAYS[@]}"
    stop_parts TERM "${CORES[@]}"
    stop_parts TERM sentinel-1 sentinel-2 sentinel-3
    stop_parts TERM redis-1 redis-2 redis-3
    stop_parts INT postgres              # without waiting for those who are still connected
    say "the cluster has stopped"
}

cluster_status() {
    local part pid bad=0
    for part in "${PARTS[@]}"; do
        if pid=$(part_pid "$part"); then
            echo "$part: running, pid $pid, port $(port_of "$part")$(health_of "$part")"
        else
            echo "$part: not running"
            bad=3
        fi
    done
    return $bad
}

health_of() {
    local url answer
    case $1 in
        core-*) url=/core/actuator/status ;;
        gateway-*) url=/gui/actuator/status ;;
        *) return 0 ;;
    esac
    answer=$(curl -fsS -m 5 "http://127.0.0.1:$(port_of "$1")$url" 2>/dev/null || echo unknown)
    echo ", health $answer"
}
