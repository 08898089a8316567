# Sourced by tests that need users who have really joined: "people" starts
# them (behind start_kit), "p WORDS..." is a command of tests/web/people.mjs,
# whose answer is in $got then.
people()
{
	mkfifo "$T/people.in" "$T/people.out"
	node tests/web/people.mjs "$kit_http" <"$T/people.in" \
		>"$T/people.out" 2>"$T/people.err" &
	tap_pids+=($!)
	exec 8>"$T/people.in" 9<"$T/people.out"
}
p() { echo "$*" >&8; read -r -t 60 got <&9 || got="no answer"; }
# joins WHO NAME LINK-OPTION...: a new user in $m; his id is in $user.
joins()
{
	local who=$1 name=$2; shift 2
	p hello "$who" token "$(token "$@")"
	p join "$who" "$name"
	user=${got#ok }
}
# token LINK-OPTION...: the key of a new link into $m
token() { meeting-ctl link "$m" "$@" | sed 's/.*#t=//'; }
