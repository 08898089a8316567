# Sourced after tests/lib.sh: attacks on a relay that is run for them. A
# program prints figures, a name and a value on each line.
seed=${SEED:-$RANDOM}

# attack NAME ARGUMENT...: runs peer-attack-NAME with the seed last; what it
# said is in $T/figures, what the relay said in $T/words. With $calm (an awk
# condition on a figure that other work on the machine can spoil, "NAME < 1")
# at most three times, until it holds.
attack()
{
	local i name=$1; shift
	for i in 1 2 3; do
		echo "# peer-attack-$name $* $seed"
		timeout 900 "peer-attack-$name" "$@" "$seed" \
			>"$T/figures" 2>"$T/words"
		rc=$?
		# shellcheck disable=SC2086
		[ -n "${calm:-}" ] && [ $rc = 0 ] && ! holds $calm || break
		echo "# not calm: $(tr '\t\n' '  ' <"$T/figures")"
	done
	[ $rc = 0 ] || tail -20 "$T/words" | sed 's/^/# /'
	ok "peer-attack-$name ran to its end" test $rc = 0
	is "the relay lived through it" "$(fig relay_status)" 0
}
fig() { awk -F'\t' -v k="$1" '$1 == k { print $2 }' "$T/figures"; }
# holds NAME CONDITION...: of the figure of that name, say "< 0.5".
holds()
{
	local v; v=$(fig "$1"); shift
	[ -n "$v" ] && awk -v v="$v" "BEGIN { exit !(v $*) }"
}
# figure DESC NAME CONDITION
figure()
{
	holds "$2" "$3"
	tap_report $? "$1: $2 $(fig "$2"), wanted $3"
}
