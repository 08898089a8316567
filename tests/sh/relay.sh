# Sourced after tests/lib.sh: a conf-relay on its own, asked line by line.

trap "" PIPE # a relay that cuts us off is no reason to die

# relay_start OPTIONS...: requests go to fd 9, answers to $T/answers, its
# words to $T/words; pid in $relay.
relay_start()
{
	rm -f "$T/asked"; mkfifo "$T/asked"
	: >"$T/answers"
	conf-relay "$@" <"$T/asked" >"$T/answers" 2>"$T/words" &
	relay=$!; tap_pids+=($relay)
	exec 9>"$T/asked"
	relay_n=0
}
# relay_end: closes its input; its status is the function's.
relay_end() { exec 9>&-; wait "$relay"; }
relay_answer() { jq -ce "select(.id == $1)" "$T/answers"; }
# ask METHOD PARAMS: the whole reply is in $reply.
ask()
{
	relay_n=$((relay_n + 1))
	printf '{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}\n' \
		"$relay_n" "$1" "$2" >&9
	wait_for 10 relay_answer "$relay_n"
	reply=$(relay_answer "$relay_n")
}
kind() { jq -r '.error.data.kind // "none"' <<<"$reply"; }
result() { jq -c '.result' <<<"$reply"; }
grant='{"publish":["mic","cam"],"muted":[],"receive":true}'
