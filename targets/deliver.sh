# Delivers one revision of a configuration directory, atomically, and proves that the process runs it.
#
# Runs once in a container of the service's own image, under a static busybox. The new documents lie in
# /config/.incoming-$REVISION. The service sees /config read-only; its files are links through ..data, the layout that
# Kubernetes uses for mounted ConfigMaps, so that watchers written for one work with the other.
#
# Exit status: 0 delivered (and, where the process runs, loaded); 1 refused, and the old revision is back in force.
set -u
PATH=/tools
busybox() { /tools/busybox "$@"; }
say() { echo "$NAME: $*"; }

request() { # METHOD PATH: the whole HTTP answer
    header=""
    if [ -n "${AUTH_FILE:-}" ]; then
        token=$(busybox printf '%s:%s' "$AUTH_USER" "$(busybox cat "$AUTH_FILE")" | busybox base64 | busybox tr -d '\n')
        header="Authorization: Basic $token
"
    fi
    busybox printf '%s %s HTTP/1.0\r\nHost: %s\r\n%sContent-Length: 0\r\n\r\n' "$1" "$2" "${HOST:-$NAME}:$PORT" "${header:+${header%
}
}" | busybox sed 's/\r*$/\r/' | busybox timeout 20 /tools/busybox nc "${HOST:-$NAME}" "$PORT" 2>/dev/null
}
status() { busybox head -n 1 | busybox cut -d ' ' -f 2; }
body() { busybox sed -e '1,/^\r*$/d'; }
metric() { # NAME: its first value in the exposition of /tmp/page, as a whole number
    busybox awk -v name="$1" '$1 == name || index($1, name "{") == 1 { printf "%.0f\n", $NF; exit }' /tmp/page
}

switch() { # REVISION-DIRECTORY
    busybox ln -s "$1" /config/..next && busybox mv -fT /config/..next /config/..data
    for file in /config/* /config/.[a-z]*; do
        [ -L "$file" ] && ! [ -e "$file" ] && busybox rm -f "$file"
    done
    # each link is made anew, although it says the same: processes that watch a file by its name see it change
    for file in /config/..data/*; do
        [ -e "$file" ] || continue
        name=$(busybox basename "$file")
        busybox ln -s "..data/$name" /config/..link && busybox mv -fT /config/..link "/config/$name"
    done
}
stir() { # REVISION-DIRECTORY: processes that watch a directory of it by its inode look again at what its path leads to
    busybox find "/config/$1" -type d | while read -r directory; do
        : >"$directory/.switched" && busybox rm -f "$directory/.switched"
    done
}
refuse() { # the process's words on standard input
    say "REFUSED: $1"
    busybox sed 's/\r$//; s/^/    /'
    if [ -n "$old" ] && [ "$(busybox readlink /config/..data)" != "$old" ]; then
        switch "$old"
        [ -n "${RELOAD_PATH:-}" ] && request POST "$RELOAD_PATH" >/dev/null
        say "the previous configuration is in force"
    fi
    [ ".rev-$REVISION" = "$old" ] || busybox rm -rf "/config/.rev-$REVISION"
    exit 1
}

own() { # the directories that the service writes belong to its user
    for directory in ${DATA_DIRS:-}; do
        # Docker gives an empty volume the owner that the image's own directory has, each time it mounts it
        : >"$directory/.observability"
        [ "$(busybox stat -c %u "$directory")" = "$OWNER" ] || busybox chown -R "$OWNER:$OWNER" "$directory"
    done
}

accept() { # the process's own validator reads the new directory
    [ -n "${VALIDATE:-}" ] || return 0
    if [ -n "${VALIDATE_SECONDS:-}" ]; then
        busybox timeout "$VALIDATE_SECONDS" /tools/busybox sh -c "$VALIDATE" >/tmp/words 2>&1
        busybox grep -E "$VALIDATE_MARKER" /tmp/words >/tmp/refused && refuse "the process rejects it" </tmp/refused
        return 0
    fi
    eval "$VALIDATE" >/tmp/words 2>&1 || refuse "its validator rejects it" </tmp/words
}

running() { # whether the process answers, which a stopped or not yet created one does not
    for _ in 1 2 3 4 5 6; do
        [ -n "$(request GET "$METRICS_PATH" | busybox head -n 1)" ] && return 0
        busybox usleep 500000
    done
    return 1
}

proven() { # the process itself says that it loaded the new revision; its exposition can be long, hence the file
    request GET "$METRICS_PATH" | body >/tmp/page
    if [ -n "${DIGEST_METRIC:-}" ]; then
        sum=$(busybox sha256sum "/config/..data/$DIGEST_FILE" | busybox cut -d ' ' -f 1)
        busybox grep -q "^$DIGEST_METRIC{.*$sum.*} 1" /tmp/page || return 1
    fi
    if [ -n "${SUCCESS_METRIC:-}" ]; then
        [ "$(metric "$SUCCESS_METRIC")" = 1 ] || return 1
    fi
    if [ -n "${TIME_METRIC:-}" ]; then
        at=$(metric "$TIME_METRIC")
        [ "${at:-0}" -ge "$began" ] || return 1
    fi
    return 0
}

main() {
    old=$(busybox readlink /config/..data 2>/dev/null || true)
    new=.rev-$REVISION
    own
    if [ -d "/config/$new" ]; then busybox rm -rf "/config/.incoming-$REVISION"; else busybox mv "/config/.incoming-$REVISION" "/config/$new"; fi
    busybox chmod -R u=rwX,go=rX "/config/$new"
    accept
    began=$(busybox date +%s)
    switch "$new"
    [ -z "$old" ] || [ "$old" = "$new" ] || stir "$old"
    before=$(busybox cat /config/.generation 2>/dev/null || true)
    echo "$GENERATION" >/config/.generation
    for revision in /config/.rev-* /config/.incoming-*; do
        case "$(busybox basename "$revision")" in "$new" | "${old:-$new}") ;; *) busybox rm -rf "$revision" ;; esac
    done
    if [ -z "${PORT:-}" ] || [ -z "$old" ] || [ "$before" != "$GENERATION" ]; then
        say "revision $REVISION delivered; the process reads it when it starts"
        exit 0
    fi
    if ! running; then
        say "revision $REVISION delivered; the process is not running and reads it when it starts"
        exit 0
    fi
    if [ -n "${RELOAD_PATH:-}" ]; then
        request POST "$RELOAD_PATH" >/tmp/answer
        body </tmp/answer >/tmp/words
        case "$(status </tmp/answer)" in
            2*) ;;
            *) # Promtail answers 500 to content that it runs already, as after a run that failed elsewhere
                busybox grep -q "config has not changed" /tmp/words ||
                    refuse "the process rejects it: $(busybox head -n 1 /tmp/answer)" </tmp/words
                ;;
        esac
    fi
    tries=$((TIMEOUT * 5))
    until proven; do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            busybox grep -i -E "reload|runtime_config" /tmp/page >/tmp/words
            refuse "the process does not confirm it within $TIMEOUT s" </tmp/words
        fi
        busybox usleep 200000
    done
    say "revision $REVISION is live"
}
main
