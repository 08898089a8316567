#!/bin/bash
# A user is named by id or by a name that is unique.
. tests/lib.sh
. tests/sh/canned.sh

a=u_aaaaaaaaaaaaaaaaaaaaaaaaaa
b=u_bbbbbbbbbbbbbbbbbbbbbbbbbb
c=u_cccccccccccccccccccccccccc
users="user.list\t{\"users\":[{\"user\":\"$a\",\"name\":\"Ann\"},{\"user\":\"$b\",\"name\":\"Bob\"},{\"user\":\"$c\",\"name\":\"Ann\"},{\"user\":\"$a\",\"name\":\"--all\"}]}"
for verb in mute unmute kick; do
	answers "$users" "user.$verb\t{}"
	exits "$verb: a unique name is found" 0 mc $verb hello Bob
	is "$verb: its id is sent" "$(requests | tail -1)" \
		"user.$verb	{\"meeting\":\"hello\",\"user\":\"$b\"}"
	exits "$verb: an id is taken as it is" 0 mc $verb hello $c
	is "$verb: nobody is looked up" "$(requests | tail -2)" \
		"user.$verb	{\"meeting\":\"hello\",\"user\":\"$b\"}
user.$verb	{\"meeting\":\"hello\",\"user\":\"$c\"}"
	exits "$verb: an ambiguous name is 1" 1 mc $verb hello Ann
	is "$verb: the ids are listed" "$err" \
"meeting-ctl: $verb: 2 users are called 'Ann':
  $a
  $c"
	exits "$verb: an unknown name is 1" 1 mc $verb hello Carl
	is "$verb: and named" "$err" \
		"meeting-ctl: $verb: no user 'Carl' in 'hello'"
	is "$verb: nothing was done" "$(requests | grep -c "user.$verb")" 2
done
answers "$users" 'user.role\t{}' 'chat.say\t{}' 'user.mute\t{}'
exits "role finds names" 0 mc role hello Bob moderator
is "and sends the role" "$(requests | tail -1)" \
	"user.role	{\"role\":\"moderator\",\"meeting\":\"hello\",\"user\":\"$b\"}"
exits "say --to finds names" 0 mc say hello --to Bob --as Bot text
is "and sends the id" "$(requests | tail -1)" \
	"chat.say	{\"meeting\":\"hello\",\"text\":\"text\",\"as\":\"Bot\",\"to\":\"$b\"}"
exits "say --to an ambiguous name is 1" 1 mc say hello --to Ann text
exits "mute --all names nobody" 0 mc mute hello --all
is "and says all" "$(requests | tail -1)" \
	'user.mute	{"meeting":"hello","all":true}'
exits "a user who is called --all can be named" 0 mc mute hello -- --all
is "and is one user" "$(requests | tail -1)" \
	"user.mute	{\"meeting\":\"hello\",\"user\":\"$a\"}"
answers "$users" 'user.kick\t{}'
mc kick hello Bob --reason 'too loud'
is "kick sends the reason" "$(requests | tail -1)" \
	"user.kick	{\"reason\":\"too loud\",\"meeting\":\"hello\",\"user\":\"$b\"}"
done_testing
