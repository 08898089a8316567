# Sourced by tests of meeting-ctl: a server of canned answers on $sock, and
# "answers LINE...", which says what they are from now on (\t is a TAB).
sock=$T/signal.sock
: >"$T/script"; : >"$T/requests"
background cli-server "$sock" "$T/script" >>"$T/requests"
wait_for 5 test -S "$sock" || echo "# no canned server"
answers() { printf '%b\n' "$@" >"$T/script"; : >"$T/requests"; }
mc() { meeting-ctl -s "$sock" "$@"; }
# What the server was asked, without the hello.
requests() { grep -v '^hello' "$T/requests"; }
