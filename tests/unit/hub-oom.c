/* The hub when the n-th allocation of ours fails: it begins or says why not;
 * a conversation may be refused, but what is in the log is whole, memory and
 * log agree, and the next conversation goes well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub_priv.h"
#include "oom.h"

static const char *const script[] = {
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":"
		"{\"protocol\":[1]}}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"events.follow\"}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"meeting.create\","
		"\"params\":{\"name\":\"A b\"}}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"chat.say\",\"params\":"
		"{\"meeting\":\"m\",\"text\":\"hi\"}}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"link.create\",\"params\":"
		"{\"meeting\":\"m\",\"name\":\"Ann\"}}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"events.read\",\"params\":"
		"{\"meeting\":\"m\",\"limit\":3}}\n",
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"meeting.list\"}\n",
};

struct world {
	char dir[64];
	struct io_loop *loop;
	struct hub *hub;
};

static struct hub *hub_here(struct world *w, char why[256])
{
	struct hub_config c = {.state_dir = w->dir, .www = w->dir,
		.url = "http://h", .op_gid = (gid_t)-1};

	return hub_new(w->loop, &c, why);
}

static int begin(void *arg)
{
	struct world *w = arg;
	char why[256];
	struct hub *h = hub_here(w, why);

	if (!h)
		return errno == ENOMEM ? -ENOMEM : -EIO;
	hub_free(h);
	return 0;
}

static size_t eat(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	(void)p;
	return n;
}

static void gone(void *arg, int err)
{
	(void)err;
	((struct peer *)arg)->gone = true;
}

static bool alive(const struct hub *h, const struct peer *p)
{
	for (const struct list *l = h->peers.next; l != &h->peers; l = l->next)
		if (l == &p->link)
			return !p->gone && !p->closing;
	return false;
}

static int converse(void *arg)
{
	static const struct io_stream_events events = {.on_data = eat,
		.on_close = gone};
	struct world *w = arg;
	struct hub *h = w->hub;
	struct peer *p = hub_peer_new(h, PEER_OP);
	int fds[2];

	if (!p)
		return -ENOMEM;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	str_copy(p->id, sizeof(p->id), "0");
	p->stream = io_stream_new(h->loop, fds[0], fds[0], 1 << 20,
		HUB_OUT_BYTES, &events, p);
	if (!p->stream) {
		close(fds[0]);
		p->gone = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(script) && alive(h, p); i++) {
		ctl_feed(p->ctl, script[i], strlen(script[i]));
		peer_check(p);
		hub_settle(h);
	}
	if (alive(h, p))
		p->gone = true;
	h->loose = true;
	hub_settle(h);
	hub_settle(h);
	assert_true(list_empty(&h->peers));
	assert_true(list_empty(&h->batch));
	close(fds[1]);
	return 0;
}

static int setup(void **state)
{
	static const struct meet_actor op = {.party = MEET_OP, .id = "0"};
	struct world *w = calloc(1, sizeof(*w));
	struct meet_refusal why;
	char words[256];
	json_t *events;
	int err;

	snprintf(w->dir, sizeof(w->dir), "/tmp/hub-oom-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	w->loop = io_loop_new();
	io_ignore_sigpipe();
	*state = w;
	w->hub = hub_here(w, words);
	assert_non_null(w->hub);
	assert_int_equal(hub_decide(room_get(w->hub, "m", &err), &op,
		"meeting.create", NULL, &events, &why), 0);
	json_decref(events);
	hub_settle(w->hub);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	hub_free(w->hub);
	io_loop_free(w->loop);
	snprintf(command, sizeof(command), "rm -rf %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void beginning(void **state)
{
	struct world *w = *state;

	hub_free(w->hub);
	assert_true(oom_ladder(begin, w) > 10);
	w->hub = NULL;
}

static int whole(void *arg, const struct store_event *e)
{
	uint64_t *last = arg;

	assert_int_equal(e->seq, *last + 1);
	*last = e->seq;
	return 0;
}

static void talking(void **state)
{
	struct world *w = *state;
	uint64_t last = 0;
	int err;

	assert_true(oom_ladder(converse, w) > 30);
	assert_int_equal(store_read(w->hub->store, "m", 0, UINT64_MAX, whole,
		&last), 0);
	assert_int_equal(meet_seq(room_find(w->hub, "m", &err)->meet), last);
	assert_int_equal(converse(w), 0);
	assert_int_equal(meet_seq(room_find(w->hub, "m", &err)->meet),
		last + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(beginning, setup, teardown),
		cmocka_unit_test_setup_teardown(talking, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
