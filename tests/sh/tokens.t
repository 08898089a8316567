#!/bin/bash
# Tokens of join links: none counts that the server has not signed for this
# meeting and this time, or whose uses are over; and none is in any log.
. tests/lib.sh
. tests/sh/people.sh
m=hello
start_kit -v || { ok "the kit starts" false; done_testing; }
meeting-ctl create Hello --id $m >/dev/null
meeting-ctl create Other --id other >/dev/null
people
# hello VALUE WANTED DESC: what a hello with this token is answered
hello() { p hello x token "$1"; is "$3" "${got%% *}" "$2"; }
key() { cut -d' ' -f2 "$CONF_STATEDIR/keys/token.cur"; }
kid() { cut -d' ' -f1 "$CONF_STATEDIR/keys/token.cur"; }
# sign CLAIMS [KEY [HEADER]]: a token in $signed
sign() { p sign "${2:-$(key)}" \
	"${3:-{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"$(kid)\"\}}" "$1"
	signed=$got; }
claims_of() { cut -d. -f2 <<<"$1" | tr _- /+ |
	{ cat; echo ==; } | base64 -d 2>/dev/null; }

t=$(token)
claims=$(claims_of "$t")
like "claims are those of the conventions" "$claims" \
	'^\{"iss":"confkit","sub":"\*","mtg":"hello","role":"viewer","jti":"l_[a-z2-7]{26}","nbf":[0-9]+,"exp":[0-9]+\}$'
is "a link holds for 24 hours" \
	"$(($(jq .exp <<<"$claims") - $(jq .nbf <<<"$claims")))" 86460
hello "$t" ok "the token counts"
sign "$claims"
is "what we sign is what the server signs" "$signed" "$t"

# Time.
now=$(date +%s)
sign "$(jq -c ".exp = $now - 1" <<<"$claims")"
hello "$signed" expired "expired"
sign "$(jq -c ".nbf = $now + 60" <<<"$claims")"
hello "$signed" not_yet "not yet"
hello "$(token --from 1h)" not_yet "--from 1h"
hello "$(token --from 2000-01-01T00:00:00Z)" ok "--from of the past"
short=$(token --ttl 4s)
hello "$short" ok "--ttl 4s"
expired() { p hello x token "$short"; [ "$got" = expired ]; }
ok "is over then" wait_for 15 expired

# Another meeting, another role, another user.
sign "$(jq -c '.mtg = "other"' <<<"$claims")"
hello "$signed" refused "of another meeting"
sign "$(jq -c '.mtg = "none"' <<<"$claims")"
hello "$signed" absent "of no meeting"
sign "$(jq -c '.role = "moderator"' <<<"$claims")"
p hello up token "$signed"
is "a role that the link has not" "$(cut -d' ' -f1,3 <<<"$got")" "ok viewer"
p join up Up
p ask up meeting.end
is "and it may do no more" "$got" '!denied'
sign "$(jq -c '.jti = "l_aaaaaaaaaaaaaaaaaaaaaaaaaa"' <<<"$claims")"
hello "$signed" refused "a link that there is not"
bound=$(claims_of "$(token --name Ann)")
sign "$(jq -c '.sub = "u_aaaaaaaaaaaaaaaaaaaaaaaaaa"' <<<"$bound")"
hello "$signed" refused "another user than the link's"

# Missing, empty, of another type.
for claim in iss sub mtg role jti nbf exp; do
	sign "$(jq -c "del(.$claim)" <<<"$claims")"
	hello "$signed" malformed "without $claim"
	sign "$(jq -c ".$claim = \"\"" <<<"$claims")"
	hello "$signed" malformed "with an empty $claim"
	sign "$(jq -c ".$claim = [1]" <<<"$claims")"
	hello "$signed" malformed "with $claim of another type"
done
sign '[]'
hello "$signed" malformed "claims that are no object"

# Signatures.
hello "${t%.*}." signature "an empty signature"
hello "${t%.*}" malformed "no signature"
hello "${t}A" signature "a longer one"
hello "${t%?}" signature "a shorter one"
p sign 00 '{"alg":"none"}' "$claims"
hello "${got%.*}." malformed "alg none"
for alg in none HS512 RS256 hs256; do
	sign "$claims" "" "{\"alg\":\"$alg\",\"kid\":\"$(kid)\"}"
	hello "$signed" malformed "alg $alg, soundly signed"
done
sign "$claims" "" "{\"alg\":\"HS256\",\"kid\":\"$(kid)\",\"crit\":[\"x\"]}"
hello "$signed" malformed "an extension that is critical"
other=$(printf 'ab%.0s' {1..32})
sign "$claims" "$other"
hello "$signed" signature "the key of another server, our kid"
sign "$claims" "$other" '{"alg":"HS256","kid":"00000000"}'
hello "$signed" unknown_key "the key of another server, its kid"
sign "$claims" "" '{"alg":"HS256"}'
hello "$signed" malformed "no kid"
hello "" malformed "an empty token"
hello "$(head -c 5000 /dev/zero | tr '\0' A)" malformed "one of 5,000 bytes"

# Used up.
once=$(token --uses 1)
is "uses is claimed" "$(claims_of "$once" | jq .uses)" 1
p hello one token "$once"
session=${got##* }
p hello late token "$once"
like "opening alone uses nothing" "$got" '^ok '
p join one One
like "the first who joins" "$got" '^ok u_'
p join late Late
is "is the only one" "$got" denied
hello "$once" used_up "replay after use"
p ask one user.leave
hello "$once" used_up "replay after he left"
p close one
p hello one session "$session"
p join one One
like "he comes back by his session" "$got" '^ok u_'
single=$(token --uses 1 --name Eve)
p hello eve token "$single"
p join eve
hello "$single" used_up "a link for one person, opened by another too"
p ask eve user.list
like "who is there notices nothing" "$got" '^{"users":'
id=$(jq -r .jti <<<"$(claims_of "$single")")
is "links counts" "$(meeting-ctl -T links $m | grep "^$id" | cut -f7-9)" \
	"1	1	0"
twice=$(token --uses 2)
for i in 1 2; do p hello two$i token "$twice"; p join two$i Two; done
hello "$twice" used_up "the third of two"
meeting-ctl -q create Again --id $m
kill -KILL "$(kit_pid confd-signal)"
up() { meeting-ctl -w 1s list; }
wait_for 10 up
hello "$twice" used_up "uses are counted over a restart"

# Revoked.
gone=$(token)
id=$(jq -r .jti <<<"$(claims_of "$gone")")
hello "$gone" ok "before unlink"
exits "unlink" 0 meeting-ctl unlink $m "$id"
hello "$gone" revoked "after unlink"
exits "unlink again" 0 meeting-ctl unlink $m "$id"
exits "unlink of none is 1" 1 meeting-ctl unlink $m l_aaaaaaaaaaaaaaaaaaaaaaaaaa
like "links shows it" "$(meeting-ctl links $m)" "^$id .* revoked "

# Two keys are live.
first=$(kid)
is "keys list" "$(meeting-ctl -T keys list)" "$first	current"
exits "keys rotate" 0 meeting-ctl -T keys rotate
is "prints both" "$out" "$(kid)	current
$first	previous"
is "key files are ours alone" \
	"$(stat -c %a "$CONF_STATEDIR"/keys/token.*)" $'600\n600'
hello "$t" ok "a link of the previous key"
new=$(token)
hello "$new" ok "a link of the new one"
p hello one session "$session"
like "a session" "$got" '^ok '
meeting-ctl -q keys rotate >/dev/null
hello "$t" unknown_key "a link of the key before the previous"
hello "$new" ok "a link of the previous"
p hello one session "$session"
like "a session goes on" "$got" '^ok '
kill -KILL "$(kit_pid confd-signal)"
wait_for 10 up
hello "$new" ok "both live on over a restart"
hello "$t" unknown_key "and the old one does not"

# Each byte, and then the logs.
p alter "$new"
echo "# $got (tried, accepted)"
like "a token with any byte changed" "$got" '^1[0-9]{3} 0$'
for secret in "${t##*.}" "${new##*.}" "${once##*.}" "$session"; do
	is "no log holds the token" "$(grep -rlaF -- "$secret" \
		"$T/kit.err" "$T/kit.out" "$CONF_STATEDIR" "$CONF_RUNDIR" \
		2>/dev/null)" ""
done
is "no event holds a token" "$(meeting-ctl events | grep -c eyJ)" 0
pids=$(meeting-ctl -s "$CONF_RUNDIR/run.sock" call list | jq '.workers[].pid')
is "no command line holds a key" "$(for pid in $pids $kit; do
	tr '\0' '\n' <"/proc/$pid/cmdline" | grep -F "$(key)"
	tr '\0' '\n' <"/proc/$pid/environ" | grep -F "$(key)"; done)" ""
done_testing
