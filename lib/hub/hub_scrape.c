/* Who reads the metrics: HTTP as far as it takes, one request for each
 * connection, on an address of its own and on signal.sock. */
#include <stdio.h>
#include <unistd.h>
#include "hub_priv.h"

#define HEAD_MAX 8192

struct scrape {
	struct list link;
	struct hub *hub;
	struct io_stream *stream;
	struct io_timer *timer;
	struct buf head;
	bool only_head;    /* HEAD */
	bool asked;        /* the request is there, relays were asked */
	uint64_t asked_ns;
};

static void scrape_free(struct scrape *s, bool finish)
{
	list_remove(&s->link);
	s->hub->stats.scrapes--;
	io_timer_free(s->timer);
	if (finish)
		io_stream_finish(s->stream);
	else
		io_stream_free(s->stream);
	buf_free(&s->head);
	free(s);
}

static void reply(struct scrape *s, const char *status, const char *type,
	const void *text, size_t n)
{
	struct buf b = {0};

	buf_printf(&b, "HTTP/1.1 %s\r\nContent-Type: %s; charset=utf-8\r\n"
		"Content-Length: %zu\r\nCache-Control: no-store\r\n"
		"X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
		status, type, n);
	if (!s->only_head)
		buf_put(&b, text, n);
	if (!b.err)
		io_stream_send(s->stream, b.data, b.len);
	buf_free(&b);
	scrape_free(s, true);
}

static void refuse(struct scrape *s, const char *status)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%s\n", status);

	reply(s, status, "text/plain", text, (size_t)n);
}

static void tell(struct scrape *s)
{
	struct buf b = {0};

	hub_metrics_put(s->hub, &b, s->asked_ns);
	if (b.err)
		refuse(s, "503 Service Unavailable");
	else
		reply(s, "200 OK", "text/plain; version=0.0.4", b.data, b.len);
	buf_free(&b);
}

static bool waits(const struct scrape *s)
{
	list_each(l, next, &s->hub->relays)
		if (list_entry(l, struct relay, link)->asking)
			return true;
	return false;
}

/* A relay has answered, or will not. */
static void look(void *arg)
{
	struct hub *h = arg;

	list_each(l, next, &h->scrapes) {
		struct scrape *s = list_entry(l, struct scrape, link);

		if (s->asked && !waits(s))
			tell(s);
	}
}

void hub_relay_counted(struct hub *h)
{
	io_defer(h->loop, look, h);
}

static void ask(struct scrape *s)
{
	s->asked = true;
	s->asked_ns = io_now_ns();
	io_stream_pause(s->stream, 1);
	io_timer_in(s->timer, HUB_SCRAPE_MS);
	list_each(l, next, &s->hub->relays)
		relay_count(list_entry(l, struct relay, link));
	hub_relay_counted(s->hub);
}

static void late(void *arg)
{
	struct scrape *s = arg;

	if (s->asked)
		tell(s);
	else
		scrape_free(s, false);
}

static void request(struct scrape *s, char *line)
{
	char *path = strchr(line, ' '), *end;
	bool get = str_starts(line, "GET ");

	s->only_head = str_starts(line, "HEAD ");
	line[strcspn(line, "\r\n")] = '\0';
	end = path ? strchr(path + 1, ' ') : NULL;
	if (!end || !str_starts(end, " HTTP/1.")) {
		refuse(s, "400 Bad Request");
		return;
	}
	*end = '\0';
	path[1 + strcspn(path + 1, "?")] = '\0';
	if (!get && !s->only_head)
		refuse(s, "405 Method Not Allowed");
	else if (!str_eq(path + 1, "/metrics"))
		refuse(s, "404 Not Found");
	else
		ask(s);
}

/* All but the first line is of no interest, but has to be over. */
static void feed(struct scrape *s, const void *bytes, size_t n)
{
	const char *text;

	buf_put(&s->head, bytes, MIN(n, HEAD_MAX + 1 - s->head.len));
	text = buf_cstr(&s->head);
	if (!text)
		scrape_free(s, false);
	else if (strstr(text, "\r\n\r\n") || strstr(text, "\n\n"))
		request(s, (char *)s->head.data);
	else if (s->head.len > HEAD_MAX || strlen(text) != s->head.len)
		refuse(s, "400 Bad Request");
}

static size_t on_data(void *arg, const uint8_t *bytes, size_t n)
{
	struct scrape *s = arg;

	if (!s->asked)
		feed(s, bytes, n);
	return n;
}

static void on_close(void *arg, int err)
{
	(void)err;
	scrape_free(arg, false);
}

void hub_scrape(struct hub *h, int fd, const void *bytes, size_t n)
{
	static const struct io_stream_events events = {.on_data = on_data,
		.on_close = on_close};
	struct scrape *s = h->draining || h->stats.scrapes >= HUB_SCRAPES ?
		NULL : calloc(1, sizeof(*s));

	if (!s) {
		close(fd);
		return;
	}
	s->hub = h;
	list_append(&h->scrapes, &s->link);
	h->stats.scrapes++;
	s->stream = io_stream_new(h->loop, fd, fd, HEAD_MAX, HUB_OUT_BYTES,
		&events, s);
	s->timer = io_timer_new(h->loop, late, s);
	if (!s->stream)
		close(fd);
	if (!s->stream || !s->timer) {
		scrape_free(s, false);
		return;
	}
	io_timer_in(s->timer, HUB_SCRAPE_MS);
	if (n)
		feed(s, bytes, n);
}

void hub_scrapes_free(struct hub *h)
{
	io_undefer(h->loop, look, h);
	list_each(l, next, &h->scrapes)
		scrape_free(list_entry(l, struct scrape, link), false);
}
