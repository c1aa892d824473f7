#!/bin/sh
# `redis-server …`, bare flags and configuration files start the server; anything else runs as it is.
set -e
case ${1:-} in
-* | *.conf) set -- redis-server "$@" ;;
esac
if [ "${1:-}" = redis-server ]; then
    case "$*" in
    *protected-mode*) ;;
    # As in the upstream image: the container's network is the boundary, and clients are never on loopback.
    *) set -- "$@" --protected-mode no ;;
    esac
fi
exec "$@"
