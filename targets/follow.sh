# Delivers a ConfigMap's documents to the process beside it, now and whenever they change, by deliver.sh.
#
# The ConfigMap lies in /incoming, where the kubelet exchanges it as a whole. What becomes of a revision is the last
# line of a delivery: "@ <revision> <exit status of deliver.sh>".
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

trap 'exit 0' TERM INT
seen=""
while :; do
    now=$(busybox readlink /incoming/..data)
    if [ "$now" != "$seen" ]; then
        revision=$(busybox cat /incoming/.revision)
        unpack "$revision"
        # exchanged meanwhile: what was read may be of two revisions
        if [ "$(busybox readlink /incoming/..data)" = "$now" ]; then
            # in quotes already, so a directory may take the place of {dir} as it is
            VALIDATE=$(echo "${VALIDATE_TEMPLATE:-}" | busybox sed "s|{dir}|/config/.rev-$revision|g")
            export VALIDATE
            REVISION=$revision DATA_DIRS="" busybox sh /delivery/deliver.sh
            echo "@ $revision $?"
            seen=$now
        fi
    fi
    busybox sleep 1 &
    wait $!
done
