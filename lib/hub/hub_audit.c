/* The audit log: a line of JSON for each thing that bears on security.
 * conf-audit(5) describes it. Each kind of line has a rate, and what is over
 * it is counted and told in one line a second, so that nobody fills the disk
 * by failing. A line that could not be written is missing, which the number
 * after it shows. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hub_priv.h"

#define TAIL_BYTES 65536
#define BURST      50
#define EVERY_MS   100
#define TEXT_MAX   200 /* bytes of what others wrote */

const struct hub_audit_row hub_audit_rows[] = {
	[AUDIT_OPENED] = {"audit.opened", "done"},
	[AUDIT_SUPPRESSED] = {"audit.suppressed", "done"},
	[AUDIT_HELLO_REFUSED] = {"hello.refused", "refused"},
	[AUDIT_HELLO_MISSING] = {"hello.missing", "closed"},
	[AUDIT_ORIGIN_REFUSED] = {"origin.refused", "refused"},
	[AUDIT_UID_REFUSED] = {"uid.refused", "refused"},
	[AUDIT_WORKER_REFUSED] = {"worker.refused", "refused"},
	[AUDIT_PEER_MALFORMED] = {"peer.malformed", "closed"},
	[AUDIT_REQUEST_SLOW] = {"request.slow", "closed"},
	[AUDIT_SOURCE_LIMITED] = {"source.limited", "refused"},
	[AUDIT_SOURCE_PENALISED] = {"source.penalised", "refused"},
	[AUDIT_USER_LIMITED] = {"user.limited", "refused"},
	[AUDIT_MEDIA_REFUSED] = {"media.refused", "closed"},
	[AUDIT_USER_KICKED] = {"user.kicked", "done"},
	[AUDIT_USER_ROLE] = {"user.role", "done"},
	[AUDIT_LINK_CREATED] = {"link.created", "done"},
	[AUDIT_LINK_REVOKED] = {"link.revoked", "done"},
	[AUDIT_KEY_ROTATED] = {"key.rotated", "done"},
	[AUDIT_MEDIA_ATTACHED] = {"media.attached", "done"},
	[AUDIT_MEDIA_DETACHED] = {"media.detached", "done"},
};
const size_t hub_audit_n_rows = ARRAY_LEN(hub_audit_rows);

struct audit_log {
	char *path;
	int fd;
	dev_t dev;
	ino_t ino;
	uint64_t seq;     /* of the last line, written or lost */
	bool failing;     /* the last write did */
	bool torn;        /* the file ends inside of a line */
	struct guard_rate rate[AUDIT_EVENTS];
	uint64_t suppressed[AUDIT_EVENTS];
};

/* --- The file ------------------------------------------------------------- */

static int open_file(struct audit_log *a)
{
	struct stat st;
	int err, fd = open(a->path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW |
		O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
	if (err) {
		close(fd);
		return err;
	}
	if (a->fd >= 0)
		close(a->fd);
	a->fd = fd;
	a->dev = st.st_dev;
	a->ino = st.st_ino;
	return 0;
}

/* Goes on with the number of the last line that is one. A line that a crash
 * cut short is ended. */
static int go_on(struct audit_log *a)
{
	off_t end = lseek(a->fd, 0, SEEK_END);
	off_t at = end > TAIL_BYTES ? end - TAIL_BYTES : 0;
	char *tail = malloc(TAIL_BYTES + 1), *line, *next, why[160];
	ssize_t n = tail ? pread(a->fd, tail, (size_t)(end - at), at) : -1;

	if (n < 0) {
		free(tail);
		return tail ? -EIO : -ENOMEM;
	}
	tail[n] = '\0';
	for (line = tail; (next = strchr(line, '\n')); line = next + 1) {
		json_t *o = json_read(line, (size_t)(next - line), why);
		const char *bad = NULL;
		int64_t seq = json_int(o, "seq", 0, &bad);

		if (o && !bad && seq > 0)
			a->seq = (uint64_t)seq;
		json_decref(o);
	}
	a->torn = *line;
	free(tail);
	return 0;
}

/* n bytes with a line feed at their end. A full disk may take a part. */
static bool write_line(struct audit_log *a, const char *text, size_t n)
{
	ssize_t got;

	if (a->torn && write(a->fd, "\n", 1) != 1)
		return false;
	a->torn = false;
	got = write(a->fd, text, n);
	a->torn = got > 0 && (size_t)got < n;
	return got == (ssize_t)n;
}

/* o is stolen. */
static void put(struct audit_log *a, enum audit_event event, json_t *o)
{
	char now[TIME_CAP], *text;
	json_t *line = json_object();
	size_t n;

	time_format(now, io_wall_ms());
	json_object_set_new(line, "ts", json_string(now));
	json_object_set_new(line, "seq", json_integer((json_int_t)++a->seq));
	json_object_set_new(line, "event",
		json_string(hub_audit_rows[event].name));
	json_object_update(line, o);
	/* ASCII alone, so that nothing in it moves a terminal's cursor or
	 * the direction of text. */
	text = o ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(line);
	json_decref(o);
	n = text ? strlen(text) : 0;
	if (text)
		text[n] = '\n'; /* in place of the NUL */
	if (!text || !write_line(a, text, n + 1)) {
		if (!a->failing)
			io_log(IO_ERROR, "cannot write the audit log '%s': %s",
				a->path, text ? strerror(errno) :
				"out of memory");
		a->failing = true;
	} else {
		a->failing = false;
	}
	free(text);
}

static void tell_opened(struct audit_log *a)
{
	put(a, AUDIT_OPENED, json_pack("{s:s, s:s, s:s}", "subject", "system",
		"verdict", hub_audit_rows[AUDIT_OPENED].verdict, "reason",
		HUB_AGENT));
}

struct audit_log *audit_open(const char *path, char why[256])
{
	struct audit_log *a = calloc(1, sizeof(*a));
	int err = -ENOMEM;

	if (a) {
		a->fd = -1;
		a->path = strdup(path);
	}
	if (a && a->path)
		err = open_file(a);
	if (!err)
		err = go_on(a);
	if (err) {
		snprintf(why, 256, "cannot use the audit log '%.180s': %s",
			path, err == -EINVAL ? "it is no file" :
			strerror(-err));
		audit_close(a);
		errno = -err;
		return NULL;
	}
	tell_opened(a);
	return a;
}

void audit_close(struct audit_log *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a->path);
	free(a);
}

/* --- Lines ---------------------------------------------------------------- */

static json_t *text_of(const char *s)
{
	char cut[TEXT_MAX + 1];
	struct buf b = {0};
	json_t *v;

	if (!s)
		return NULL;
	snprintf(cut, sizeof(cut), "%s", s);
	v = str_utf8_ok(cut, strlen(cut)) ? json_string(cut) : NULL;
	if (v)
		return v;
	str_escape(&b, cut, strlen(cut));
	v = json_string(buf_cstr(&b) ? (const char *)b.data : "");
	buf_free(&b);
	return v;
}

static const union io_addr *address_of(const struct audit *what)
{
	if (what->from)
		return what->from;
	return what->peer && what->peer->ws ?
		web_ws_source(what->peer->ws) : NULL;
}

static void subject_of(const struct audit *what, char out[160])
{
	const union io_addr *from = address_of(what);
	const struct peer *p = what->peer;
	char host[IO_ADDR_CAP];

	if (what->actor)
		snprintf(out, 160, "%s", what->actor);
	else if (p && p->kind != PEER_WEB && !*p->id)
		snprintf(out, 160, "uid:%lu", (unsigned long)p->uid);
	else if (p && p->kind != PEER_WEB)
		snprintf(out, 160, "%s:%s", p->kind == PEER_OP ? "op" :
			"worker", p->id);
	else if (p && p->member)
		snprintf(out, 160, "user:%s", p->id);
	else if (from) {
		io_addr_host(host, from);
		snprintf(out, 160, "ip:%s", host);
	} else
		snprintf(out, 160, "system");
}

void audit(struct hub *h, const struct audit *what)
{
	const union io_addr *from = address_of(what);
	struct audit_log *a = h->audit;
	char subject[160], host[IO_ADDR_CAP] = "";
	const char *meeting = what->meeting;

	if (!a)
		return;
	if (guard_rate(&a->rate[what->event], BURST, EVERY_MS, io_now_ns())) {
		a->suppressed[what->event] ++;
		return;
	}
	if (!meeting && what->peer && what->peer->member)
		meeting = what->peer->member->room->id;
	if (from)
		io_addr_host(host, from);
	subject_of(what, subject);
	put(a, what->event, json_pack("{s:s*, s:s, s:s*, s:s*, s:s, s:o*}",
		"meeting", meeting, "subject", subject, "from",
		*host ? host : NULL, "object", what->object, "verdict",
		hub_audit_rows[what->event].verdict, "reason",
		text_of(what->reason)));
}

/* An operator has no seat to leave: he took a program's. */
static void audit_left(const struct room *r, const char *actor,
	const json_t *data)
{
	if (actor && str_starts(actor, "op:") && str_eq("left",
		json_string_value(json_object_get(data, "reason"))))
		audit(r->hub, &(struct audit){.event = AUDIT_MEDIA_DETACHED,
			.actor = actor, .meeting = r->id, .object =
			json_string_value(json_object_get(data, "user"))});
}

/* The reason of a change of rights is what it was changed to. */
void audit_events(const struct room *r, const json_t *events)
{
	static const enum audit_event kinds[] = {AUDIT_USER_KICKED,
		AUDIT_USER_ROLE, AUDIT_LINK_CREATED, AUDIT_LINK_REVOKED};
	const json_t *e, *data;
	size_t i;

	json_array_foreach(events, i, e) {
		const char *type = json_string_value(json_object_get(e,
			"type"));

		data = json_object_get(e, "data");
		if (str_eq(type, "user.left"))
			audit_left(r, json_string_value(json_object_get(e,
				"actor")), data);
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
			bool link = kinds[k] >= AUDIT_LINK_CREATED;

			if (!str_eq(type, hub_audit_rows[kinds[k]].name))
				continue;
			audit(r->hub, &(struct audit){.event = kinds[k],
				.actor = json_string_value(json_object_get(e,
					"actor")),
				.meeting = r->id,
				.object = json_string_value(json_object_get(
					data, link ? "link" : "user")),
				.reason = json_string_value(json_object_get(
					data, kinds[k] == AUDIT_USER_KICKED ?
					"reason" : "role"))});
		}
	}
}

/* --- Each second ---------------------------------------------------------- */

static void look(struct audit_log *a)
{
	struct stat st;

	if (lstat(a->path, &st) == 0 && st.st_dev == a->dev &&
		st.st_ino == a->ino)
		return;
	/* Moved away to be rotated. Where no new one can be made we go on
	 * with the old one. */
	if (open_file(a) == 0)
		tell_opened(a);
}

void audit_sweep(struct hub *h)
{
	struct audit_log *a = h->audit;

	if (!a)
		return;
	look(a);
	for (size_t i = 0; i < AUDIT_EVENTS; i++) {
		uint64_t n = a->suppressed[i];

		a->suppressed[i] = 0;
		if (n)
			put(a, AUDIT_SUPPRESSED, json_pack(
				"{s:s, s:s, s:s, s:I}", "subject", "system",
				"verdict",
				hub_audit_rows[AUDIT_SUPPRESSED].verdict,
				"reason", hub_audit_rows[i].name, "count",
				(json_int_t)n));
	}
}
