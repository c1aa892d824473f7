# Delivers a ConfigMap's documents to the process beside it, by deliver.sh: now, and whenever they change or a secret
# does that the process reads again.
#
# The ConfigMap lies in /incoming, where the kubelet exchanges it as a whole, as it does the secrets in /run/secrets,
# whose mark says which ones they are. What becomes of a revision is the last line of a delivery:
# "@ <revision>[-<mark>] <exit status of deliver.sh>".
set -u
PATH=/tools
busybox() { /tools/busybox "$@"; }

unpack() { # REVISION: the documents under their own paths in /config/.incoming-REVISION
    target=/config/.incoming-$1
    busybox rm -rf "$target"
    busybox mkdir -p "$target"
    if [ -e /incoming/.documents.tar.gz ]; then
        busybox tar -xzf /incoming/.documents.tar.gz -C "$target"
        return
    fi
    for file in /incoming/*; do
        [ -f "$file" ] || continue
        path=$(busybox basename "$file" | busybox sed 's|__|/|g')
        case "$path" in */*) busybox mkdir -p "$target/$(busybox dirname "$path")" ;; esac
        busybox cat "$file" >"$target/$path"
    done
}

exchanged() { # what the kubelet exchanges when something changes
    busybox readlink /incoming/..data
    busybox readlink /run/secrets/..data 2>/dev/null
}

trap 'exit 0' TERM INT
seen=""
while :; do
    now=$(exchanged)
    if [ "$now" != "$seen" ]; then
        revision=$(busybox cat /incoming/.revision)
        mark=$(busybox cat /run/secrets/.mark 2>/dev/null)
        unpack "$revision"
        # exchanged meanwhile: what was read may be of two revisions
        if [ "$(exchanged)" = "$now" ]; then
            # in quotes already, so a directory may take the place of {dir} as it is
            VALIDATE=$(echo "${VALIDATE_TEMPLATE:-}" | busybox sed "s|{dir}|/config/.rev-$revision|g")
            export VALIDATE
            REVISION=$revision DATA_DIRS="" busybox sh /delivery/deliver.sh
            echo "@ $revision${mark:+-$mark} $?"
            seen=$now
        fi
    fi
    busybox sleep 1 &
    wait $!
done
