#!/bin/sh
# As Grafana's image begins: https://github.com/grafana/grafana/blob/v12.4.2/packaging/docker/run.sh
set -e
exec grafana server --homepath="$GF_PATHS_HOME" --config="$GF_PATHS_CONFIG" --packaging=docker "$@"
