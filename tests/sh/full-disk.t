#!/bin/bash
# A state directory on a disk without room, one that cannot be written, and
# one that is gone: new things are refused with a reason, running meetings go
# on, and leaving, muting, kicking and ending still commit. The disk is a
# small file system in memory that only this test sees.
if [ -z "${own_mounts:-}" ]; then
	export own_mounts=1
	for how in -m -Urm; do
		unshare $how mount -t tmpfs disk /mnt 2>/dev/null &&
			exec unshare $how bash "$0"
	done
	export own_mounts=none
fi
. tests/lib.sh
. tests/sh/people.sh
if [ $own_mounts = none ]; then
	unsupported "a full disk" "no mount namespace of one's own"
	done_testing
fi
m=hello disk=$T/disk
export CONF_STATEDIR=$disk/state
mkdir "$disk"
mount -t tmpfs -o size=16m disk "$disk" || ok "a small disk" false

fill() { cat /dev/zero >"$disk/filler" 2>/dev/null; }
refused() { # DESC WORDS COMMAND...
	local desc=$1 words=$2; shift 2
	exits "$desc is refused" 3 meeting-ctl "$@"
	like "$desc: the reason" "$err" "$words"
}
health() { curl -sk -o "$T/health" -w '%{http_code}' "https://$kit_http/healthz"; }
healthy() { [ "$(health)" = "$1" ]; }
seq() { meeting-ctl call meeting.show "{\"meeting\":\"$m\"}" | jq .meeting.seq; }
# batch REQUEST...: METHOD PARAMS each, in one write; the kinds of the answers
batch() { node -e '
	const s = require("net").connect(process.argv[1]);
	const line = (id, method, params) =>
		JSON.stringify({jsonrpc: "2.0", id, method, params}) + "\n";
	const asked = process.argv.slice(2), got = [];
	let rest = "";
	s.write(line(0, "hello", {protocol: [1], agent: "t", role: "client"}));
	s.on("data", (d) => {
		const lines = (rest + d).split("\n");
		rest = lines.pop();
		for (const l of lines.map((t) => JSON.parse(t))) {
			if (l.id === 0) {
				s.write(asked.map((a, i) => line(i + 1, a.split(" ")[0],
					JSON.parse(a.slice(a.indexOf(" "))))).join(""));
				continue;
			}
			got[l.id - 1] = l.error?.data.kind ?? "ok";
			if (Object.keys(got).length === asked.length) {
				console.log(got.join(" "));
				s.destroy();
			}
		}
	});' "$CONF_RUNDIR/signal.sock" "$@"; }

start_kit || ok "the kit starts" false
is "4 MiB are kept" "$(stat -c %s "$CONF_STATEDIR/log.reserve")" 4194304
meeting-ctl create Hello --id $m >/dev/null
meeting-ctl create Other --id other >/dev/null
people
joins ann Ann --role moderator
ann=$user
p hello ben token "$(token)"; session=${got##* }
p join ben Ben; ben=${got#ok }
joins cat Cat; cat=$user
joins dan Dan; dan=$user
spare=$(token)
link=$(meeting-ctl call link.create "{\"meeting\":\"$m\"}" | jq -r .link)

# The COMMIT that fails takes its batch with it.
fill
before=$(seq)
is "a batch that finds no room is refused as a whole" "$(batch \
	"user.mute {\"meeting\":\"$m\",\"user\":\"$cat\"}" \
	"chat.say {\"meeting\":\"$m\",\"text\":\"lost\"}" \
	"user.mute {\"meeting\":\"$m\",\"user\":\"$dan\"}")" "io io io"
is "and has not happened" "$(seq) $(meeting-ctl --json users $m |
	jq -s 'flatten | map(select(.held)) | length')" "$before 0"

refused "chat" 'the disk is full' say $m hi
refused "a new meeting" 'the disk is full' create New
refused "a new link" 'the disk is full' link $m
refused "a role" 'the disk is full' role $m "$cat" moderator
p hello eve token "$spare"
is "somebody new" "$got" log
p ask ann chat.say '{"text":"hi"}'
is "chat of a user" "$got" '!io'
ok "health says so" wait_for 5 healthy 503
ok "and a log line" wait_for 5 grep -q \
	'new things are refused: the disk is full' "$T/kit.err"

exits "mute" 0 meeting-ctl mute $m "$cat"
p saw cat user.held
is "is told" "$got" "{\"user\":\"$cat\"}"
refused "unmute" 'the disk is full' unmute $m "$cat"
p ask ann user.mute '{}'
like "a user mutes himself" "$got" '"seq"'
exits "kick" 0 meeting-ctl kick $m "$dan"
p ended dan
is "ends the connection" "$got" 4403
p ask cat user.leave '{}'
like "leave" "$got" '"seq"'
p close ben
ok "who lost his connection is away" wait_for 5 sh -c "meeting-ctl events $m |
	grep -q user.away"
p hello ben session "$session"
p join ben Ben
is "and comes back" "$got" "ok $ben"
is "in a batch only what is not essential is refused" "$(batch \
	"chat.say {\"meeting\":\"$m\",\"text\":\"lost\"}" \
	"user.mute {\"meeting\":\"$m\",\"user\":\"$ben\"}" \
	"link.revoke {\"meeting\":\"$m\",\"link\":\"$link\"}")" "io ok ok"
exits "end" 0 meeting-ctl end other
is "the roster" "$(meeting-ctl -T users $m | cut -f1 | tr '\n' ' ')" \
	"$ann $ben "

# Killed without room it comes back, and all is there.
pid=$(kit_pid confd-signal) before=$(seq)
kill -9 "$pid"
again() { [ "$(kit_pid confd-signal)" != "$pid" ] && meeting-ctl show $m; }
ok "killed on a full disk, it comes back" wait_for 10 again
is "with all that was committed" "$(seq)" "$before"
fill
refused "chat then" 'the disk is full' say $m hi
exits "mute all then" 0 meeting-ctl mute $m --all
ok "health then" wait_for 5 healthy 503

rm "$disk/filler"
exits "with room again, chat" 0 meeting-ctl say $m hi
is "the reserve is there again" "$(stat -c %s "$CONF_STATEDIR/log.reserve")" \
	4194304
ok "health" wait_for 5 healthy 200
ok "and a log line" wait_for 5 grep -q 'the log can be written again' \
	"$T/kit.err"
is "nothing was damaged" "$(grep -c damaged "$T/kit.err")" 0

# Not to be written.
mount --bind "$CONF_STATEDIR" "$CONF_STATEDIR"
mount -o remount,bind,ro "$CONF_STATEDIR"
refused "chat into a read-only directory" 'Read-only file system' say $m hi
exits "mute" 0 meeting-ctl mute $m --all
exits "a second server there" 3 confd-signal --rundir "$T/run2" \
	--listen 127.0.0.1:0
like "says why" "$err" 'Read-only file system'
umount "$CONF_STATEDIR"
exits "once it can be written" 0 meeting-ctl say $m hi

# Gone.
mv "$CONF_STATEDIR" "$disk/away"
refused "chat into a directory that is gone" 'the state directory is gone' \
	say $m hi
ok "which is noticed" wait_for 5 healthy 503
exits "kick" 0 meeting-ctl kick $m "$ben"
is "the meeting goes on" "$(meeting-ctl -T users $m | wc -l)" 1
mv "$disk/away" "$CONF_STATEDIR"
exits "once it is back" 0 meeting-ctl say $m hi
rm -r "$CONF_STATEDIR"
ok "deleted, it is noticed without anything being asked" wait_for 5 \
	healthy 503
exits "the meeting can be ended" 0 meeting-ctl end $m
stop_kit
is "and so can the server" $kit_rc 0
done_testing
