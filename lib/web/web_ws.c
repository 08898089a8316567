/* WebSockets: the upgrade, and a session on the connection that evhttp
 * gives up to us. wslay reads frames and answers control frames; text that
 * we send is framed here, since it needs no masking and no fragments. */
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>
#include "web_priv.h"

#define FRAGMENTS_MAX 1024
#define DRAINED       65536
#define READ_S        45
#define WRITE_S       10
#define LINGER_MS     2000
#define UNSENT_BYTES  131072
#define WARNINGS_MAX  10 /* lines of log, a second */

struct web_ws {
	struct list link;
	struct web *web;
	struct evhttp_connection *conn; /* owns bev and us */
	struct bufferevent *bev;
	wslay_event_context_ptr wslay;
	struct io_timer *linger;
	void *owner;      /* argument of the callbacks; NULL: forgotten */
	unsigned fragments;
	bool busy;        /* inside wslay: freeing waits */
	bool closing;     /* our close frame is queued */
	bool dead;        /* to be freed as soon as not busy */
	union io_addr source;
	char remote[IO_ADDR_CAP];
};

static void ws_free(struct web_ws *ws)
{
	list_remove(&ws->link);
	io_timer_free(ws->linger);
	wslay_event_context_free(ws->wslay);
	evhttp_connection_free(ws->conn);
	free(ws);
}

static void free_deferred(void *arg)
{
	struct web_ws *ws = arg;
	void *owner = ws->owner;

	ws->owner = NULL;
	if (owner)
		ws->web->ev.on_close(owner);
	ws_free(ws);
}

/* Ends it without further ado. The owner hears of it and the memory goes
 * when this iteration of the loop is over, so that whoever is on the stack
 * may still hold it. */
static void ws_cut(struct web_ws *ws)
{
	if (ws->dead)
		return;
	ws->dead = true;
	bufferevent_disable(ws->bev, EV_READ | EV_WRITE);
	bufferevent_setcb(ws->bev, NULL, NULL, NULL, NULL);
	io_timer_in(ws->linger, 0);
}

static void lingered(void *arg)
{
	struct web_ws *ws = arg;

	if (ws->dead)
		free_deferred(ws);
	else
		ws_cut(ws);
}

/* Our close frame is on its way: tell the owner, let the output go out, end
 * the sending side, and throw away what still comes, so that the peer reads
 * the frame instead of a reset. */
static void ws_linger(struct web_ws *ws)
{
	void *owner = ws->owner;

	if (!ws->closing) {
		io_timer_in(ws->linger, LINGER_MS);
		bufferevent_setwatermark(ws->bev, EV_WRITE, 0, 0);
	}
	ws->closing = true;
	ws->owner = NULL;
	if (owner)
		ws->web->ev.on_close(owner);
}

static void ws_shut(struct web_ws *ws)
{
	SSL *ssl = bufferevent_openssl_get_ssl(ws->bev);

	if (ssl)
		SSL_shutdown(ssl);
	shutdown(bufferevent_getfd(ws->bev), SHUT_WR);
}

static ssize_t recv_cb(wslay_event_context_ptr ctx, uint8_t *p, size_t n,
	int flags, void *arg)
{
	struct web_ws *ws = arg;
	int r = evbuffer_remove(bufferevent_get_input(ws->bev), p, n);

	(void)flags;
	if (r > 0)
		return r;
	wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
	return -1;
}

static ssize_t send_cb(wslay_event_context_ptr ctx, const uint8_t *p,
	size_t n, int flags, void *arg)
{
	struct web_ws *ws = arg;

	(void)flags;
	if (evbuffer_add(bufferevent_get_output(ws->bev), p, n) == 0)
		return (ssize_t)n;
	wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void frame_cb(wslay_event_context_ptr ctx,
	const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
	struct web_ws *ws = arg;

	if (wslay_is_ctrl_frame(frame->opcode))
		return;
	if (frame->opcode != WSLAY_CONTINUATION_FRAME)
		ws->fragments = 0;
	/* A message in pieces of a byte costs a hundred times its size. */
	if (++ws->fragments > FRAGMENTS_MAX) {
		wslay_event_queue_close(ctx, WSLAY_CODE_MESSAGE_TOO_BIG,
			NULL, 0);
		wslay_event_shutdown_read(ctx);
	}
}

static void message_cb(wslay_event_context_ptr ctx,
	const struct wslay_event_on_msg_recv_arg *m, void *arg)
{
	struct web_ws *ws = arg;

	if (m->opcode == WSLAY_TEXT_FRAME) {
		if (ws->owner && !ws->closing && !ws->dead)
			ws->web->ev.on_text(ws->owner, m->msg ?
				(const char *)m->msg : "", m->msg_length);
	} else if (m->opcode == WSLAY_BINARY_FRAME) {
		wslay_event_queue_close(ctx, WSLAY_CODE_UNSUPPORTED_DATA,
			NULL, 0);
		wslay_event_shutdown_read(ctx);
	}
}

/* Sends what wslay has to say; false when ws is over. */
static bool ws_pump(struct web_ws *ws)
{
	if (wslay_event_send(ws->wslay) != 0 ||
		web_ws_queued(ws) > WEB_WS_MAX_OUT) {
		ws_cut(ws);
		return false;
	}
	if (wslay_event_get_close_sent(ws->wslay)) {
		ws_linger(ws);
		if (web_ws_queued(ws) == 0)
			ws_shut(ws);
	}
	return true;
}

/* Besides the peer's own close only what it may not send ends reading. The
 * code is known when its frame has been made. */
static void tell_malformed(struct web_ws *ws)
{
	if (!ws->owner || !ws->web->ev.on_malformed ||
		wslay_event_get_read_enabled(ws->wslay) ||
		wslay_event_get_close_received(ws->wslay) ||
		wslay_event_send(ws->wslay) != 0)
		return;
	ws->web->ev.on_malformed(ws->owner,
		wslay_event_get_status_code_sent(ws->wslay));
}

static void read_cb(struct bufferevent *bev, void *arg)
{
	struct web_ws *ws = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	int r;

	if (ws->closing && !wslay_event_get_read_enabled(ws->wslay)) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	ws->busy = true;
	r = wslay_event_recv(ws->wslay);
	if (r != 0) {
		/* A frame that is none; wslay has said close already. */
		wslay_event_shutdown_read(ws->wslay);
	}
	/* Lack of memory is not the peer's fault. */
	if (r != WSLAY_ERR_NOMEM && !ws->dead)
		tell_malformed(ws);
	ws->busy = false;
	if (ws->dead || !ws_pump(ws))
		return;
	if (wslay_event_get_close_received(ws->wslay) &&
		web_ws_queued(ws) == 0)
		ws_cut(ws);
}

static void write_cb(struct bufferevent *bev, void *arg)
{
	struct web_ws *ws = arg;

	(void)bev;
	if (ws->closing) {
		if (web_ws_queued(ws))
			return;
		if (wslay_event_get_close_received(ws->wslay))
			ws_cut(ws);
		else
			ws_shut(ws);
	} else if (ws->owner && ws->web->ev.on_drained) {
		ws->web->ev.on_drained(ws->owner);
	}
}

static void event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct web_ws *ws = arg;

	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		ws_cut(ws);
}

int web_ws_send(struct web_ws *ws, const char *p, size_t n)
{
	struct evbuffer *out = bufferevent_get_output(ws->bev);
	uint8_t head[10] = {0x81};
	size_t head_n = 2;

	if (ws->dead || ws->closing)
		return -EPIPE;
	if (evbuffer_get_length(out) + n > WEB_WS_MAX_OUT) {
		ws_cut(ws);
		return -ENOBUFS;
	}
	if (n < 126) {
		head[1] = (uint8_t)n;
	} else if (n < 65536) {
		head[1] = 126;
		be16_put(head + 2, (uint16_t)n);
		head_n = 4;
	} else {
		head[1] = 127;
		be64_put(head + 2, n);
		head_n = 10;
	}
	if (evbuffer_expand(out, head_n + n) < 0 ||
		evbuffer_add(out, head, head_n) < 0 ||
		evbuffer_add(out, p, n) < 0) {
		ws_cut(ws);
		return -ENOMEM;
	}
	return 0;
}

size_t web_ws_queued(const struct web_ws *ws)
{
	return evbuffer_get_length(bufferevent_get_output(ws->bev));
}

const union io_addr *web_ws_source(const struct web_ws *ws)
{
	return &ws->source;
}

const char *web_ws_remote(const struct web_ws *ws)
{
	return ws->remote;
}

void web_ws_close(struct web_ws *ws, unsigned code, const char *reason)
{
	ws->owner = NULL;
	if (ws->dead || ws->closing)
		return;
	wslay_event_queue_close(ws->wslay, (uint16_t)code,
		(const uint8_t *)reason, MIN(strlen(reason), 123u));
	ws_linger(ws);
	if (!ws->busy)
		ws_pump(ws);
}

void web_ws_ping_all(struct web *w)
{
	list_each(l, next, &w->sockets) {
		struct web_ws *ws = list_entry(l, struct web_ws, link);
		struct wslay_event_msg ping = {.opcode = WSLAY_PING};

		if (ws->dead || ws->closing)
			continue;
		wslay_event_queue_msg(ws->wslay, &ping);
		ws_pump(ws);
	}
}

void web_ws_free_all(struct web *w)
{
	list_each(l, next, &w->sockets)
		ws_free(list_entry(l, struct web_ws, link));
}

/* RFC 6455 section 4.2.2: the key with a fixed text behind it, hashed. */
static bool accept_key(char out[32], const char *key)
{
	char text[64];
	uint8_t raw[24], hash[20];

	if (!key || strlen(key) != 24 || EVP_DecodeBlock(raw,
		(const uint8_t *)key, 24) != 18 || strcmp(key + 22, "==") != 0)
		return false;
	snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		key);
	if (!EVP_Digest(text, strlen(text), hash, NULL, EVP_sha1(), NULL))
		return false;
	EVP_EncodeBlock((uint8_t *)out, hash, sizeof(hash));
	return true;
}

/* Answers what cannot be upgraded. */
static bool upgrade_fits(struct web *w, struct evhttp_request *req,
	char accept[32])
{
	struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *origin = evhttp_find_header(in, "Origin");

	if (evhttp_request_get_command(req) != EVHTTP_REQ_GET ||
		!web_has_token(evhttp_find_header(in, "Upgrade"),
			"websocket") ||
		!web_has_token(evhttp_find_header(in, "Connection"),
			"upgrade") ||
		!str_eq(evhttp_find_header(in, "Sec-WebSocket-Version"),
			"13")) {
		struct evkeyvalq *h = evhttp_request_get_output_headers(req);

		evhttp_add_header(h, "Upgrade", "websocket");
		evhttp_add_header(h, "Sec-WebSocket-Version", "13");
		web_reply(w, req, 426, "Upgrade Required",
			"this is a WebSocket\n");
		return false;
	}
	if (!web_origin_ok(origin, *w->client.host ? w->client.host : NULL,
		w->client.tls, w->origins)) {
		union io_addr from;

		web_source(w, req, &from);
		web_refused(w, &from, WEB_ORIGIN, origin);
		/* io_log escapes it. */
		if (w->warnings++ < WARNINGS_MAX)
			io_log(IO_WARN, "refused a WebSocket of origin "
				"'%.200s'", origin);
		web_reply(w, req, 403, "Forbidden",
			"this page may not connect here\n");
		return false;
	}
	if (!accept_key(accept, evhttp_find_header(in, "Sec-WebSocket-Key"))) {
		web_reply(w, req, 400, "Bad Request", "bad key\n");
		return false;
	}
	return true;
}

static struct web_ws *ws_new(struct web *w, struct evhttp_request *req)
{
	struct evhttp_connection *conn = evhttp_request_get_connection(req);
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = recv_cb,
		.send_callback = send_cb,
		.on_frame_recv_start_callback = frame_cb,
		.on_msg_recv_callback = message_cb,
	};
	struct web_ws *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return NULL;
	ws->linger = io_timer_new(w->loop, lingered, ws);
	if (!ws->linger || wslay_event_context_server_init(&ws->wslay,
		&callbacks, ws) != 0) {
		io_timer_free(ws->linger);
		free(ws);
		return NULL;
	}
	wslay_event_config_set_max_recv_msg_length(ws->wslay, WEB_WS_MAX_IN);
	ws->web = w;
	ws->conn = conn;
	ws->bev = evhttp_connection_get_bufferevent(conn);
	web_source(w, req, &ws->source);
	io_addr_format(ws->remote, &ws->source);
	list_append(&w->sockets, &ws->link);
	return ws;
}

static void take_over(struct web_ws *ws, const char *accept)
{
	static const struct timeval read_tv = {READ_S, 0};
	static const struct timeval write_tv = {WRITE_S, 0};
	struct bufferevent *bev = ws->bev;
	int fd = bufferevent_getfd(bev), unsent = UNSENT_BYTES, one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* What waits shall wait here, where it is counted. */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
		sizeof(unsent));
	web_tls_deadline(bev, 0);
	evbuffer_add_printf(bufferevent_get_output(bev),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	bufferevent_setcb(bev, read_cb, write_cb, event_cb, ws);
	bufferevent_set_timeouts(bev, &read_tv, &write_tv);
	bufferevent_setwatermark(bev, EV_READ, 0, 2 * WEB_WS_MAX_IN);
	bufferevent_setwatermark(bev, EV_WRITE, DRAINED, 0);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	if (evbuffer_get_length(bufferevent_get_input(bev)))
		bufferevent_trigger(bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

void web_ws_upgrade(struct web *w, struct evhttp_request *req)
{
	char accept[32];
	struct web_ws *ws;

	if (!upgrade_fits(w, req, accept))
		return;
	ws = ws_new(w, req);
	if (!ws) {
		web_reply(w, req, 503, "Service Unavailable", "busy\n");
		return;
	}
	take_over(ws, accept);
	ws->owner = w->ev.on_open(w->arg, ws);
	if (!ws->owner)
		web_ws_close(ws, 1013, "busy");
}
