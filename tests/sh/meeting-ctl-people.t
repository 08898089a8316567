#!/bin/bash
# Verbs about users, on users who have really joined: each sees what happens.
. tests/lib.sh
. tests/sh/people.sh
m=hello
start_kit || { ok "the kit starts" false; done_testing; }
meeting-ctl create Hello --id $m >/dev/null
people
joins ann Ann --role moderator
ann=$user
like "Ann joins" "$ann" '^u_[a-z2-7]{26}$'
joins ben Ben
ben=$user
joins bob 'Bob B.'
bob=$user
is "users" "$(meeting-ctl -T users $m | cut -f1-3)" \
	"$ann	Ann	moderator
$ben	Ben	viewer
$bob	Bob B.	viewer"

exits "say --to a name" 0 meeting-ctl say $m --to Ben --as Bot only you
p saw ben chat.said
is "reaches him" "$got" \
	"{\"text\":\"only you\",\"name\":\"Bot\",\"to\":\"$ben\"}"
exits "say to all" 0 meeting-ctl say $m --as Bot all of you
p saw bob chat.said
is "is what another sees first" "$got" \
	'{"text":"all of you","name":"Bot"}'
exits "say --to nobody" 1 meeting-ctl say $m --to Eve hi

exits "mute a name" 0 meeting-ctl mute $m 'Bob B.'
p saw bob user.held
is "is told" "$got" "{\"user\":\"$bob\"}"
is "and listed" "$(meeting-ctl -T users $m | cut -f1,7 | grep "$bob")" \
	"$bob	1"
exits "mute again" 0 meeting-ctl mute $m "$bob"
exits "unmute" 0 meeting-ctl unmute $m 'Bob B.'
p saw bob user.released
is "is told" "$got" "{\"user\":\"$bob\"}"
exits "mute --all" 0 meeting-ctl mute $m --all
is "holds all" "$(meeting-ctl -T users $m | cut -f7 | sort -u)" 1
p ask ben user.unmute
is "one's own unmute" "$(meeting-ctl -T users $m | cut -f7 | sort -u)" 1
exits "unmute --all" 0 meeting-ctl unmute $m --all
is "releases all" "$(meeting-ctl -T users $m | cut -f7 | sort -u)" 0

p ask ben user.hand '{"up":true}'
exits "wait for a hand" 0 meeting-ctl -T -w 10s wait $m hands '>=' 1
is "tells how many" "$out" "hands	1"
exits "hand up of another is 1" 1 meeting-ctl hand $m 'Bob B.' up
exits "hand down" 0 meeting-ctl hand $m Ben down
p saw ann user.hand
exits "hand down again" 0 meeting-ctl hand $m Ben down
is "no hand is up" "$(meeting-ctl -T users $m | cut -f8 | sort -u)" 0
exits "hand of nobody" 1 meeting-ctl hand $m Eve down

exits "role" 0 meeting-ctl role $m Ben moderator
p saw ben user.role
is "is told" "$got" "{\"user\":\"$ben\",\"role\":\"moderator\"}"
p ask ben link.list
like "and counts at once" "$got" '^{"links":'
exits "wait for moderators" 0 meeting-ctl -w 10s wait $m moderators == 2
exits "role back" 0 meeting-ctl role $m Ben viewer
p ask ben link.list
is "counts at once too" "$got" '!denied'

joins ben2 Ben
exits "a name of two is 1" 1 meeting-ctl kick $m Ben
is "and both are listed" "$(tail -n +2 <<<"$err" | sort)" \
	"$(printf '  %s\n' "$ben" "$user" | sort)"
exits "kick by id" 0 meeting-ctl kick $m "$user" --reason 'two of you'
p ended ben2
is "ends the connection" "$got" 4403
p saw ann user.kicked
is "is told, with the reason" "$got" \
	"{\"user\":\"$user\",\"reason\":\"two of you\"}"
exits "kick by name" 0 meeting-ctl kick $m Ben
p ended ben
is "ends his" "$got" 4403
exits "users == 2" 0 meeting-ctl -w 10s wait $m users == 2

# More than a page of users is found by name.
for i in {1..205}; do p hello x$i token "${t:=$(token)}"
	p join x$i "Guest $i"; done
is "users lists all pages" "$(meeting-ctl -T users $m | wc -l)" 207
is "--json too" "$(meeting-ctl --json users $m | jq -c '[(.users | length), .more]')" \
	'[207,false]'
exits "a name on the second page" 0 meeting-ctl kick $m 'Guest 205'
exits "end" 0 meeting-ctl end $m
p ended ann
is "ends all" "$got" 4410
done_testing
