#!/bin/bash
# What meeting-ctl prints: columns, -T, --json; names that hold control
# characters reach no terminal.
. tests/lib.sh
. tests/sh/canned.sh
tab=$'\t'
export LC_ALL=C.UTF-8 # the shell counts characters here

answers 'meeting.list\t{"meetings":[{"id":"hello","name":"Hello","state":"open","created":"2026-11-22T09:00:00.000Z","users":2,"audio":"auto"},{"id":"a-second-one","name":"会议室","state":"ended","created":"2026-11-22T10:00:00.000Z","ended":"2026-11-22T11:00:00.000Z","users":0,"audio":"mix"}]}'
exits "list" 0 mc list
is "list aligns columns, wide characters too" "$out" \
"ID            NAME    USERS  STATE  CREATED
hello         Hello   2      open   2026-11-22T09:00:00.000Z
a-second-one  会议室  0      ended  2026-11-22T10:00:00.000Z"
exits "list -T" 0 mc -T list
is "list -T has fixed columns" "$out" \
"hello${tab}Hello${tab}open${tab}2026-11-22T09:00:00.000Z$tab${tab}auto$tab$tab${tab}2
a-second-one${tab}会议室${tab}ended${tab}2026-11-22T10:00:00.000Z${tab}2026-11-22T11:00:00.000Z${tab}mix$tab$tab${tab}0"
is "list asks for open ones" "$(requests)" 'meeting.list	{"ended":false}
meeting.list	{"ended":false}'
exits "list --json" 0 mc --json list
is "list --json is the answer" "$(jq -r '.meetings[1].id' <<<"$out")" \
	a-second-one
exits "list --ended" 0 mc list --ended
is "--ended asks for all" "$(requests | tail -1)" \
	'meeting.list	{"ended":true}'
answers 'meeting.list\t{"meetings":[]}'
exits "an empty list -T" 0 mc -T list
is "an empty list -T is empty" "$out" ""

long=$(printf 'x%.0s' {1..200})
answers "meeting.list\t{\"meetings\":[{\"id\":\"hello\",\"name\":\"$long\",\"state\":\"open\",\"created\":\"2026-11-22T09:00:00.000Z\",\"users\":2}]}"
exits "a long name" 0 mc list
is "is cut to 80 columns" "$(sed -n 2p <<<"$out" | wc -m)" 81
like "with an ellipsis" "$out" 'x… '
exits "a long name with -T" 0 mc -T list
like "is whole" "$out" "$long"

evil='<script>\\u001b[2J\\u009b1m\\u202e\\t\\n\\\\'
answers "meeting.show\t{\"meeting\":{\"id\":\"hello\",\"name\":\"$evil\",\"state\":\"open\",\"created\":\"2026-11-22T09:00:00.000Z\",\"audio\":\"auto\",\"empty_ms\":0,\"max_users\":100,\"users\":0,\"seq\":3}}"
exits "show" 0 mc show hello
is "show escapes a name" "$out" 'KEY        VALUE
id         hello
name       <script>\x1b[2J\u{009b}1m\u{202e}\x09\x0a\\
state      open
created    2026-11-22T09:00:00.000Z
audio      auto
empty_ms   0
max_users  100
users      0
seq        3'
exits "show -T" 0 mc -T show hello
is "show -T escapes a name" "$out" \
"hello$tab<script>\\x1b[2J\\u{009b}1m\\u{202e}\\x09\\x0a\\\\${tab}open${tab}2026-11-22T09:00:00.000Z$tab${tab}auto${tab}0${tab}100${tab}0${tab}3"
exits "show --json" 0 mc --json show hello
is "show --json holds the same name" \
	"$(jq -r .meeting.name <<<"$out" | od -An -tx1 | tr -d ' \n')" \
	"$(printf '<script>\x1b[2J\xc2\x9b1m\xe2\x80\xae\t\n\\\n' | od -An -tx1 | tr -d ' \n')"
is "show --json is printable" "$(tr -d '\n' <<<"$out" |
	LC_ALL=C grep -c $'[\x01-\x1f\x7f-\xff]')" 0

u=u_aaaaaaaaaaaaaaaaaaaaaaaaaa
answers "user.list\t{\"users\":[{\"user\":\"$u\",\"name\":\"Ann\",\"role\":\"moderator\",\"joined\":\"2026-11-22T09:00:01.000Z\",\"away\":false,\"muted\":true,\"held\":true,\"hand\":false,\"sources\":[\"mic\",\"cam\"]},{\"user\":\"u_bbbbbbbbbbbbbbbbbbbbbbbbbb\",\"name\":\"\",\"role\":\"viewer\",\"sources\":[]}]}"
exits "users" 0 mc users hello
is "users shows states and sources" "$out" \
"USER                          NAME  ROLE       STATE
$u  Ann   moderator  muted,held,mic,cam
u_bbbbbbbbbbbbbbbbbbbbbbbbbb        viewer     -"
exits "users -T" 0 mc -T users hello
is "users -T has a column for each" "$out" \
"$u${tab}Ann${tab}moderator${tab}2026-11-22T09:00:01.000Z${tab}0${tab}1${tab}1${tab}0${tab}mic,cam
u_bbbbbbbbbbbbbbbbbbbbbbbbbb$tab${tab}viewer$tab${tab}0${tab}0${tab}0${tab}0${tab}-"

answers 'meeting.create\t{"meeting":{"id":"team","name":"Team"},"created":false}'
exits "create -T" 0 mc -T create Team --id team --audio auto \
	--set empty_ms=0 --set external=x-1
is "create -T tells whether it is new" "$out" "team${tab}Team${tab}0"
is "create sends what it was given" "$(requests)" \
	'meeting.create	{"name":"Team","id":"team","audio":"auto","empty_ms":0,"external":"x-1"}'

url='https://localhost:8443/m/hello#t=aaa.bbb.ccc'
answers "link.create\t{\"url\":\"$url\",\"link\":\"l_x\",\"token\":\"aaa.bbb.ccc\",\"expires\":\"2026-11-23T09:00:00.000Z\"}"
exits "link" 0 mc link hello --role moderator --name Ann --ttl 90m
is "link prints the link alone" "$out" "$url"
is "link sends what it was given" "$(requests)" \
	'link.create	{"meeting":"hello","name":"Ann","role":"moderator","ttl_ms":5400000}'
exits "link -T" 0 mc -T link hello
is "link -T" "$out" "$url${tab}l_x${tab}2026-11-23T09:00:00.000Z"
exits "link --url" 0 mc link hello --url http://conf.example:80/base/
is "link --url has another base" "$out" \
	'http://conf.example:80/base/m/hello#t=aaa.bbb.ccc'
exits "link --json --url" 0 mc --json link hello --url http://h
is "with --json too" "$(jq -r .url <<<"$out")" \
	'http://h/m/hello#t=aaa.bbb.ccc'
exits "link --qr" 0 mc link hello --qr
is "link --qr prints the link first" "$(head -1 <<<"$out")" "$url"
is "then a square of half blocks" "$(tail -n +2 <<<"$out" |
	while read -r line; do echo ${#line}; done | sort -u | wc -l)" 1
like "of blocks" "$(sed -n 2p <<<"$out")" '^██████'
if mc link hello --lan >"$T/lan" 2>"$T/lan.err"; then
	like "link --lan names this host" "$(cat "$T/lan")" \
		'^https://[0-9a-f.:]+|\[.*\]:8443/m/hello#t=aaa.bbb.ccc$'
else
	like "link --lan without a network says so" "$(cat "$T/lan.err")" \
		'no network address'
fi

answers 'link.create\t{"url":"https://l/m/hello#t=a","link":"l_x","expires":"x"}'
mc link hello --from 2026-12-01T18:00:00+01:00 --uses 3 >/dev/null
is "link sends its term" "$(requests)" \
	'link.create	{"meeting":"hello","from":"2026-12-01T17:00:00.000Z","uses":3}'
answers 'link.create\t{"url":"https://l/m/hello#t=a","link":"l_x","expires":"x"}'
mc link hello --from 1h >/dev/null
from=$(date -d "$(requests | cut -f2 | jq -r .from)" +%s)
ok "a duration is from now" test $((from - $(date +%s) - 3600)) -ge -60

l() { printf '{"link":"l_%s","role":"viewer","sub":"*","revoked":%s,"expires":"%s"%s}' \
	"$@"; }
later=2099-01-01T00:00:00.000Z
answers "link.list\t{\"links\":[$(l a false $later ',"name":"Ann"'),$(l b true $later),$(l c false 2001-01-01T00:00:00.000Z),$(l d false $later ',"uses":3,"used":1'),$(l e false $later ',"from":"2098-01-01T00:00:00.000Z"')],\"more\":false}"
exits "links" 0 mc links hello
is "links says what each is good for" "$out" \
"LINK  NAME  ROLE    STATE        EXPIRES
l_a   Ann   viewer  good         2099-01-01T00:00:00.000Z
l_b         viewer  revoked      2099-01-01T00:00:00.000Z
l_c         viewer  expired      2001-01-01T00:00:00.000Z
l_d         viewer  1 of 3 used  2099-01-01T00:00:00.000Z
l_e         viewer  not yet      2099-01-01T00:00:00.000Z"
exits "links -T" 0 mc -T links hello
is "links -T has a column for each" "$(sed -n '1p;4,5p' <<<"$out")" \
"l_a${tab}Ann${tab}viewer${tab}*$tab$tab$later$tab$tab${tab}0
l_d$tab${tab}viewer${tab}*$tab$tab$later${tab}3${tab}1${tab}0
l_e$tab${tab}viewer${tab}*${tab}2098-01-01T00:00:00.000Z$tab$later$tab$tab${tab}0"
answers 'key.rotate\t{"current":"0d7145e9","previous":"d12c553d"}'
exits "keys rotate" 0 mc keys rotate
is "tells both" "$out" "KEY       STATE
0d7145e9  current
d12c553d  previous"
answers 'user.list\t{"users":[],"more":true}'
exits "a server that has more of nothing" 0 mc -T users hello
is "is not asked again" "$(requests | wc -l)" 1

answers 'meeting.x\t{"a":"\\u001b[31m\\u0085","b":[1,null]}'
exits "call" 0 mc call meeting.x '{"k":"v"}'
is "call prints the answer as one line" "$out" \
	'{"a":"\u001B[31m\u0085","b":[1,null]}'
is "call sends its parameters" "$(requests)" 'meeting.x	{"k":"v"}'
echo '{"k":2}' | mc call meeting.x - >/dev/null
is "call - reads them" "$(requests | tail -1)" 'meeting.x	{"k":2}'

answers 'chat.say\t!denied \\u001b[2Jno\\u202e\\nmeeting-ctl: forged'
exits "a message of the server" 1 mc say hello text
is "is escaped" "$err" \
	'meeting-ctl: say: \x1b[2Jno\u{202e}\x0ameeting-ctl: forged'
answers 'chat.say\t{"seq":1}'
mc say hello two words --as Bot --to $u
is "say joins words" "$(requests)" \
	"chat.say	{\"meeting\":\"hello\",\"text\":\"two words\",\"as\":\"Bot\",\"to\":\"$u\"}"
printf 'one\ntwo\n\n' | env -u HOME -u USER -u LOGNAME \
	meeting-ctl -s "$sock" say hello -
is "say - takes the lines of standard input, as the login name" \
	"$(requests | tail -1)" \
	"chat.say	{\"meeting\":\"hello\",\"text\":\"one\\ntwo\",\"as\":\"$(id -un)\"}"
mc say hello -- --as Eve
is "behind -- there are no options" "$(requests | tail -1 | jq -R \
	'split("\t")[1] | fromjson | .text' -r)" '--as Eve'
done_testing
