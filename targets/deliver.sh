# Delivers one revision of a configuration directory, atomically, and proves that the process runs it.
#
# Runs once in a container of the service's own image, under a static busybox. The new documents come as one text in
# /documents, or lie in /config/.incoming-$REVISION. The service sees /config read-only; its files are links through ..data, the layout that
# Kubernetes uses for mounted ConfigMaps, so that watchers written for one work with the other.
#
# Delivering what runs already is success, and each step can be repeated: a delivery that was killed at any point is
# put right by the next one. ..good leads to the last revision that was not refused, to which a refusal returns.
#
# Exit status: 0 delivered (and, where the process runs, loaded); 1 refused, and the last good revision is in force.
set -u
PATH=/tools
busybox() { /tools/busybox "$@"; }
say() { echo "$NAME: $*"; }

request() { # METHOD PATH [SECONDS]: the whole HTTP answer
    header=""
    if [ -n "${AUTH_FILE:-}" ]; then
        token=$(busybox printf '%s:%s' "$AUTH_USER" "$(busybox cat "$AUTH_FILE")" | busybox base64 | busybox tr -d '\n')
        header="Authorization: Basic $token
"
    fi
    busybox printf '%s %s HTTP/1.0\r\nHost: %s\r\n%sContent-Length: 0\r\n\r\n' "$1" "$2" "$NAME:$PORT" "${header:+${header%
}
}" | busybox sed 's/\r*$/\r/' | busybox timeout "${3:-20}" /tools/busybox nc "${HOST:-$NAME}" "$PORT" 2>/tmp/error
}
status() { busybox head -n 1 | busybox cut -d ' ' -f 2; }
body() { busybox sed -e '1,/^\r*$/d'; }
metric() { # NAME: its first value in the exposition of /tmp/page, as a whole number
    busybox awk -v name="$1" '$1 == name || index($1, name "{") == 1 { printf "%.0f\n", $NF; exit }' /tmp/page
}
now() { busybox date +%s; }

link() { # TARGET LINK: in one step, whatever the link was before
    busybox ln -sfn "$1" /config/..next && busybox mv -fT /config/..next "$2"
}
switch() { # REVISION-DIRECTORY
    link "$1" /config/..data || return 1
    for file in /config/* /config/.[a-z]*; do
        [ -L "$file" ] && ! [ -e "$file" ] && busybox rm -f "$file"
    done
    # each link is made anew, although it says the same: processes that watch a file by its name see it change
    for file in /config/..data/*; do
        [ -e "$file" ] || continue
        name=$(busybox basename "$file")
        link "..data/$name" "/config/$name" || return 1
    done
}
stir() { # processes that watch a directory of another revision by its inode look again at what its path leads to
    for revision in /config/.rev-*; do
        [ "$revision" != "/config/$new" ] || continue
        busybox find "$revision" -type d | while read -r directory; do
            : >"$directory/.switched" && busybox rm -f "$directory/.switched"
        done
    done
}
last_good() { # the revision to which a refusal returns, if there is one
    kept=$(busybox readlink /config/..good 2>/dev/null || true)
    [ -n "$kept" ] && [ -d "/config/$kept" ] || kept=$old
    echo "$kept"
}
refuse() { # the process's words on standard input
    say "REFUSED: $1"
    busybox sed 's/\r$//; s/^/    /'
    back=$(last_good)
    if [ -n "$back" ] && [ "$(busybox readlink /config/..data)" != "$back" ]; then
        switch "$back"
        [ -n "${RELOAD_PATH:-}" ] && request POST "$RELOAD_PATH" >/dev/null
        say "the previous configuration is in force"
    fi
    [ "$(busybox readlink /config/..data)" = "$new" ] || busybox rm -rf "/config/$new"
    exit 1
}

own() { # the directories that the service writes belong to its user
    for directory in ${DATA_DIRS:-}; do
        # Docker gives an empty volume the owner that the image's own directory has, each time it mounts it
        : >"$directory/.observability"
        [ "$(busybox stat -c %u "$directory")" = "$OWNER" ] || busybox chown -R "$OWNER:$OWNER" "$directory"
    done
}

unpack() { # before each document stands: SHA-256, number of lines, + where the last line ends or else -, path
    busybox rm -rf "$incoming"
    [ -s /documents ] || return 0
    busybox awk 'left { left--; next } { left = $2; sub(/^[^ ]* [^ ]* [^ ]* /, ""); print }' /documents >/tmp/paths
    while read -r path; do busybox dirname "$incoming/$path"; done </tmp/paths | busybox sort -u >/tmp/directories
    while read -r directory; do busybox mkdir -p "$directory" || return 1; done </tmp/directories
    busybox awk -v top="$incoming" -v sums=/tmp/sums '
        left { left--; printf "%s%s", $0, (left || whole) ? "\n" : "" >file; if (!left) close(file); next }
        {
            sum = $1; left = $2; whole = $3 == "+"
            sub(/^[^ ]* [^ ]* [^ ]* /, "")
            file = top "/" $0
            print sum "  " file >sums
            printf "" >file
            if (!left) close(file)
        }' /documents
    busybox sha256sum -c /tmp/sums >/tmp/words 2>&1 # what a full disk cut short is not what was sent
}

receive() { # what came is the revision; what there is under its name already may have been spoilt, as by a full disk
    incoming=/config/.incoming-$REVISION
    if [ -f /documents ]; then unpack || return 1; fi
    if [ -d "$incoming" ]; then
        if [ -d "/config/$new" ] && ! busybox diff -r "$incoming" "/config/$new" >/dev/null 2>&1; then
            if [ "$old" = "$new" ]; then
                busybox rm -rf /config/.rev-spoilt
                busybox cp -a "/config/$new" /config/.rev-spoilt && switch .rev-spoilt && old=.rev-spoilt || return 1
            fi
            busybox rm -rf "/config/$new"
        fi
        if [ -d "/config/$new" ]; then busybox rm -rf "$incoming"; else busybox mv "$incoming" "/config/$new"; fi
    elif ! [ -d "/config/$new" ]; then
        [ "${DOCUMENTS:-1}" = 0 ] && busybox mkdir "/config/$new"
    fi && busybox chmod -R u=rwX,go=rX "/config/$new"
}

accept() { # the process's own validator reads the new directory
    [ -n "${VALIDATE:-}" ] || return 0
    if [ -n "${VALIDATE_SECONDS:-}" ]; then
        busybox timeout "$VALIDATE_SECONDS" /tools/busybox sh -c "$VALIDATE" >/tmp/words 2>&1
        if [ -n "${VALIDATE_IGNORE:-}" ]; then
            busybox grep -vE "$VALIDATE_IGNORE" /tmp/words >/tmp/judged
            busybox mv /tmp/judged /tmp/words
        fi
        busybox grep -E "$VALIDATE_MARKER" /tmp/words >/tmp/refused && refuse "the process rejects it" </tmp/refused
        return 0
    fi
    eval "$VALIDATE" >/tmp/words 2>&1 || refuse "its validator rejects it" </tmp/words
}

running() { # whether the process answers, which a stopped or not yet created one does not
    for _ in 1 2 3 4 5; do
        [ -n "$(request GET "$METRICS_PATH" 3 | busybox head -n 1)" ] && return 0
        busybox grep -q "bad address" /tmp/error && return 1 # no container has this name
        busybox usleep 500000
    done
    return 1
}

reload() { # asks the process to load its documents; its answer comes when it has, and is false when there is none
    [ -n "${RELOAD_PATH:-}" ] || return 0
    request POST "$RELOAD_PATH" >/tmp/answer
    body </tmp/answer >/tmp/words
    case "$(status </tmp/answer)" in
        2*) return 0 ;;
        "") return 1 ;;
    esac
    # Promtail answers 500 to content that it runs already
    busybox grep -q "config has not changed" /tmp/words ||
        refuse "the process rejects it: $(busybox head -n 1 /tmp/answer)" </tmp/words
}

proven() { # the process itself says that it runs the new revision; its exposition can be long, hence the file
    request GET "$METRICS_PATH" | body >/tmp/page
    if [ -n "${DIGEST_METRIC:-}" ]; then
        sum=$(busybox sha256sum "/config/..data/$DIGEST_FILE" | busybox cut -d ' ' -f 1)
        busybox grep -q "^$DIGEST_METRIC{.*$sum.*} 1" /tmp/page || return 1
    fi
    if [ -n "${SUCCESS_METRIC:-}" ]; then
        [ "$(metric "$SUCCESS_METRIC")" = 1 ] || return 1
    fi
    if [ -n "${REPORT_PATH:-}" ]; then
        wanted=$(busybox cat "/config/..data/$REPORT_FILE")
        request GET "$REPORT_PATH" >/tmp/report
        [ -n "$wanted" ] && busybox grep -qF "$wanted" /tmp/report || return 1
        [ -z "${REPORT_TIME:-}" ] || [ "$(reported_time)" -ge "$switched" ] || return 1
    fi
    return 0
}

reported_time() { # seconds since the epoch, by a header of the answer; 0 without it
    time=$(busybox sed -n "s/^$REPORT_TIME: \([0-9]*\).*/\1/p" /tmp/report)
    echo "${time:-0}"
}

new_second() { # so that what was loaded before the switch has an earlier time than what is loaded after it
    switched=$(now)
    [ -n "${REPORT_TIME:-}" ] || return 0
    while [ "$(now)" = "$switched" ]; do busybox usleep 20000; done
    switched=$(now)
}

confirm() { # waits until the process runs the new revision
    deadline=$(($(now) + TIMEOUT))
    : >/tmp/page
    until reload && proven; do
        if [ "$(now)" -ge "$deadline" ]; then
            busybox grep -i -E "reload|runtime_config" /tmp/page >/tmp/words
            [ -z "${REPORT_PATH:-}" ] || busybox cat /tmp/report >>/tmp/words
            refuse "the process does not confirm it within $TIMEOUT s" </tmp/words
        fi
        busybox usleep 200000
    done
}

main() {
    old=$(busybox readlink /config/..data 2>/dev/null || true)
    new=.rev-$REVISION
    before=$old
    own
    : >/tmp/words
    receive || refuse "its documents did not arrive, or the volume is full" </tmp/words
    accept
    new_second
    switch "$new" || refuse "the volume cannot be written" </dev/null
    stir
    if [ -z "${PORT:-}" ] || [ -z "$before" ]; then
        say "revision $REVISION delivered; the process reads it when it starts"
    elif ! running; then
        say "revision $REVISION delivered; no process of this kind runs yet, it reads it when it starts"
    else
        confirm
        say "revision $REVISION is live"
    fi
    link "$new" /config/..good || refuse "the volume cannot be written" </dev/null
    for revision in /config/.rev-* /config/.incoming-*; do
        case "$revision" in "/config/$new" | "/config/${before:-$new}") ;; *) busybox rm -rf "$revision" ;; esac
    done
}
main
