#!/bin/sh
# Prepares an empty data directory once, then becomes the server. Runs as any user but root.
#
# POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, POSTGRES_USER (postgres), POSTGRES_DB (the user's name),
# POSTGRES_INITDB_ARGS, PGDATA and /docker-entrypoint-initdb.d/*.sql, *.sh mean what they do in the upstream image.
set -eu

say() { echo "entrypoint: $*" >&2; }
die() {
    say "$*"
    exit 1
}

case ${1:-} in
-*) set -- postgres "$@" ;;
esac
[ "${1:-}" = postgres ] || exec "$@"
shift

[ "$(id -u)" != 0 ] || die "PostgreSQL refuses to run as root: give the container a user"

sockets=/var/run/postgresql
[ -w "$sockets" ] || sockets=/tmp

# PostgreSQL's tools want a name for their own user, and any uid may be ours.
with_name() {
    printf 'postgres:x:%s:%s:PostgreSQL:%s:/bin/sh\n' "$(id -u)" "$(id -g)" "$PGDATA" >/tmp/.passwd
    printf 'postgres:x:%s:\n' "$(id -g)" >/tmp/.group
    export NSS_WRAPPER_PASSWD=/tmp/.passwd NSS_WRAPPER_GROUP=/tmp/.group LD_PRELOAD=libnss_wrapper.so
}

without_name() {
    unset LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
    rm -f /tmp/.passwd /tmp/.group
}

password_file() {
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        [ -r "$POSTGRES_PASSWORD_FILE" ] || die "cannot read POSTGRES_PASSWORD_FILE=$POSTGRES_PASSWORD_FILE"
        # A trailing line feed is the editor's, not the password's.
        printf '%s' "$(cat "$POSTGRES_PASSWORD_FILE")" >"$1"
    elif [ -n "${POSTGRES_PASSWORD:-}" ]; then
        printf '%s' "$POSTGRES_PASSWORD" >"$1"
    else
        die "no password: set POSTGRES_PASSWORD_FILE"
    fi
    [ -s "$1" ] || die "the password is empty"
}

sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --host /tmp --username "$user" "$@"; }

run_scripts() {
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
        *.sql) sql --dbname "$database" --file "$script" ;;
        *.sh) sh "$script" ;;
        esac
    done
}

# Refuses to touch files that are not ours: a database whose PG_VERSION is lost needs a person.
nothing_else() {
    for entry in "$PGDATA"/* "$PGDATA"/.[!.]*; do
        case $entry in
        */.preparing | */lost+found | *'/*' | *'[!.]*') ;;
        *) die "$PGDATA holds no database and is not empty: $entry" ;;
        esac
    done
}

prepare() {
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    # What is half done stays apart and is thrown away, so a kill at any moment is followed by a clean start.
    work=$PGDATA/.preparing
    moving=$PGDATA/.moving
    [ -e "$moving" ] || nothing_else
    umask 077
    rm -rf "$work"
    mkdir -p "$work"
    password_file /tmp/.password
    with_name
    # shellcheck disable=SC2086 # the variable holds several arguments on purpose
    initdb --pgdata "$work" --username "$user" --pwfile /tmp/.password --encoding UTF8 --locale C.UTF-8 \
        --auth-local trust --auth-host scram-sha-256 ${POSTGRES_INITDB_ARGS:-} >/tmp/.initdb 2>&1 ||
        die "initdb failed: $(cat /tmp/.initdb)"
    rm -f /tmp/.password /tmp/.initdb
    echo 'host all all all scram-sha-256' >>"$work/pg_hba.conf"
    pg_ctl --pgdata "$work" --wait --silent -l /tmp/.prepare.log \
        -o "-c listen_addresses='' -c unix_socket_directories=/tmp" start || die "$(cat /tmp/.prepare.log)"
    if [ "$database" != postgres ]; then
        echo 'CREATE DATABASE :"name";' | sql --dbname postgres --set name="$database"
    fi
    run_scripts
    pg_ctl --pgdata "$work" --wait --silent --mode fast stop
    rm -f /tmp/.prepare.log
    without_name
    # PG_VERSION is what says that the directory is whole, so it comes last.
    touch "$moving"
    for entry in "$work"/*; do
        [ "$entry" = "$work/PG_VERSION" ] && continue
        rm -rf "$PGDATA/${entry##*/}"
        mv "$entry" "$PGDATA/"
    done
    sync
    mv "$work/PG_VERSION" "$PGDATA/PG_VERSION"
    rmdir "$work"
    rm "$moving"
    say "prepared database $database in $PGDATA"
}

mkdir -p "$PGDATA" || die "cannot make $PGDATA: it must belong to uid $(id -u)"
[ -O "$PGDATA" ] || die "$PGDATA must belong to uid $(id -u): let PGDATA name a folder inside the volume"
chmod 0700 "$PGDATA"
[ -s "$PGDATA/PG_VERSION" ] || prepare
unset POSTGRES_PASSWORD

exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories="$sockets" "$@"
