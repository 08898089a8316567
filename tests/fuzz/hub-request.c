/* JSON-RPC into the hub from its three sides at once. Each line of the input
 * begins with the side that says it: o an operator, u a person with a seat,
 * r a relay; what follows is one message. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "hub_priv.h"
#include "fuzz.h"

#define INPUTS_PER_HUB 3000

static const char session[] =
	"abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst";
static const char hello[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	"\"hello\",\"params\":{\"protocol\":[1]%s}}";

static struct io_loop *loop;
static struct hub *hub;
static char dir[64];
static unsigned inputs;

static void nothing(void *arg, int err)
{
	(void)err;
	((struct peer *)arg)->gone = true;
}

static size_t eat(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	(void)p;
	return n;
}

static bool alive(const struct peer *p)
{
	for (const struct list *l = hub->peers.next; l != &hub->peers;
		l = l->next)
		if (l == &p->link)
			return !p->gone && !p->closing;
	return false;
}

static void drain(int fd)
{
	char block[65536];

	while (recv(fd, block, sizeof(block), MSG_DONTWAIT) > 0)
		;
}

static void say(struct peer *p, int fd, const char *text, size_t n)
{
	if (!alive(p))
		return;
	if (p->kind == PEER_WEB) {
		ctl_message(p->ctl, text, n);
	} else {
		ctl_feed(p->ctl, text, n);
		ctl_feed(p->ctl, "\n", 1);
	}
	peer_check(p);
	hub_settle(hub);
	drain(fd);
}

/* A peer on a pair of sockets, greeted. */
static struct peer *join(enum peer_kind kind, int fds[2], const char *more)
{
	static const struct io_stream_events events = {.on_data = eat,
		.on_close = nothing};
	struct peer *p = hub_peer_new(hub, kind);
	char text[1024];

	CHECK(p && !socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	p->stream = io_stream_new(loop, fds[0], fds[0], 1 << 20,
		HUB_OUT_BYTES, &events, p);
	str_copy(p->id, sizeof(p->id), "0");
	snprintf(text, sizeof(text), hello, more);
	say(p, fds[1], text, strlen(text));
	return p;
}

static void decide(struct room *r, const char *method, const char *params,
	char *sub, char *link)
{
	static const struct meet_actor op = {.party = MEET_OP, .id = "0"};
	json_t *o = json_loads(params, 0, NULL), *events, *data;
	struct meet_refusal why;

	CHECK(!hub_decide(r, &op, method, o, &events, &why));
	data = json_object_get(json_array_get(events, 0), "data");
	if (sub) {
		str_copy(sub, STR_ID_CAP, json_string_value(
			json_object_get(data, "sub")));
		str_copy(link, STR_ID_CAP, json_string_value(
			json_object_get(data, "link")));
	}
	json_decref(events);
	json_decref(o);
}

static void wipe(void)
{
	char command[128];

	hub_free(hub);
	hub = NULL;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK(system(command) == 0);
}

static void setup(void)
{
	struct hub_config c = {.state_dir = dir, .www = dir,
		.url = "http://h", .op_gid = (gid_t)-1};
	struct store_session s = {.meeting = "m", .role = "moderator"};
	uint8_t hash[SHA256_BYTES];
	char why[256];
	struct room *r;
	int err;

	if (!loop) {
		io_ignore_sigpipe();
		loop = io_loop_new();
		atexit(wipe);
	}
	str_copy(dir, sizeof(dir), access("/dev/shm", W_OK) == 0 ?
		"/dev/shm/fuzz-hub-XXXXXX" : "/tmp/fuzz-hub-XXXXXX");
	CHECK(mkdtemp(dir));
	hub = hub_new(loop, &c, why);
	r = hub ? room_get(hub, "m", &err) : NULL;
	CHECK(r);
	decide(r, "meeting.create", "{}", NULL, NULL);
	decide(r, "link.create", "{\"name\":\"Ann\",\"role\":\"moderator\"}",
		s.user, s.link);
	CHECK(!sha256(session, sizeof(session) - 1, hash));
	CHECK(!store_session_put(hub->store, hash, &s));
	hub_settle(hub);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char join_line[] = "{\"jsonrpc\":\"2.0\",\"id\":2,"
		"\"method\":\"user.join\"}";
	char more[256], hex[2 * SHA256_BYTES + 1];
	uint8_t mac[SHA256_BYTES];
	struct peer *side[3];
	int fds[3][2];

	if (!hub || ++inputs % INPUTS_PER_HUB == 0) {
		if (hub)
			wipe();
		setup();
	}
	side[0] = join(PEER_OP, fds[0], "");
	snprintf(more, sizeof(more), ",\"session\":\"%s\"", session);
	side[1] = join(PEER_WEB, fds[1], more);
	say(side[1], fds[1][1], join_line, sizeof(join_line) - 1);
	CHECK(!hmac_sha256(hub->worker_key, HUB_KEY_BYTES, "relay/a", 7, mac));
	str_hex(hex, mac, sizeof(mac));
	snprintf(more, sizeof(more), ",\"role\":\"relay\",\"instance\":\"a\","
		"\"secret\":\"%s\"", hex);
	side[2] = join(PEER_WORKER, fds[2], more);
	while (n) {
		const uint8_t *end = memchr(p, '\n', n);
		size_t line = end ? (size_t)(end - p) : n;
		int i = line && p[0] == 'u' ? 1 : line && p[0] == 'r' ? 2 : 0;

		if (line > 1)
			say(side[i], fds[i][1], (const char *)p + 1,
				line - 1);
		line += end != NULL;
		p += line;
		n -= line;
	}
	list_each(l, next, &hub->peers)
		list_entry(l, struct peer, link)->gone = true;
	hub->loose = true;
	hub_settle(hub);
	for (int i = 0; i < 3; i++)
		close(fds[i][1]);
	return 0;
}
