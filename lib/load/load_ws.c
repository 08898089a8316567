/* load_ws - a WebSocket to the server: TCP, TLS if the link says so, the
 * upgrade, then frames by wslay. */
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "load_priv.h"
#include "load_ws_priv.h"

#define MAX_IN    (CTL_MAX_OUT + 65536) /* a frame and what TLS adds */
#define MAX_OUT   (1u << 20)
#define MAX_HEAD  16384u
#define KEY_CHARS 24
#define GUID      "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

struct load_ws {
	struct io_loop *loop;
	const struct load_ws_to *to;
	struct load_ws_events ev;
	void *arg;
	int fd;                   /* while it connects */
	unsigned next;            /* address to try */
	struct io_watch *connecting;
	struct io_stream *stream;
	struct load_tls *tls;
	wslay_event_context_ptr wslay;
	struct buf in;            /* plain text that wslay has not read */
	size_t in_at;
	struct buf out;           /* plain text to be sent */
	char key[KEY_CHARS + 1];
	bool open;
	unsigned busy;            /* freeing is put off */
	bool dead;
};

static void destroy(struct load_ws *ws)
{
	io_watch_free(ws->connecting);
	if (ws->fd >= 0)
		close(ws->fd);
	io_stream_finish(ws->stream);
	load_tls_free(ws->tls);
	wslay_event_context_free(ws->wslay);
	buf_free(&ws->in);
	buf_free(&ws->out);
	free(ws);
}

void load_ws_free(struct load_ws *ws)
{
	if (!ws)
		return;
	ws->dead = true;
	if (!ws->busy)
		destroy(ws);
}

/* False: it is gone. */
static bool leave(struct load_ws *ws)
{
	bool alive = !ws->dead;

	if (--ws->busy == 0 && ws->dead)
		destroy(ws);
	return alive;
}

/* The owner frees us in on_close, or later. */
static void lose(struct load_ws *ws, int status, const char *reason)
{
	void (*tell)(void *, int, const char *) = ws->ev.on_close;

	ws->ev.on_close = NULL;
	if (tell && !ws->dead)
		tell(ws->arg, status, reason);
}

/* ---- out ---- */

static int send_out(struct load_ws *ws)
{
	struct buf cipher = {0};
	int err = ws->out.err;

	if (!err && ws->tls && ws->out.len)
		err = load_tls_put(ws->tls, ws->out.data, ws->out.len,
			&cipher);
	if (!err && ws->tls && cipher.len)
		err = io_stream_send(ws->stream, cipher.data, cipher.len);
	else if (!err && !ws->tls && ws->out.len)
		err = io_stream_send(ws->stream, ws->out.data, ws->out.len);
	buf_clear(&ws->out);
	buf_free(&cipher);
	return err;
}

static ssize_t wslay_send(wslay_event_context_ptr ctx, const uint8_t *p,
	size_t n, int flags, void *arg)
{
	struct load_ws *ws = arg;

	(void)ctx, (void)flags;
	buf_put(&ws->out, p, n);
	return (ssize_t)n; /* buf.err tells */
}

int load_ws_send(struct load_ws *ws, const void *p, size_t n)
{
	const struct wslay_event_msg m = {WSLAY_TEXT_FRAME, p, n};

	if (!ws->open || !ws->stream || ws->dead)
		return -EPIPE;
	if (wslay_event_queue_msg(ws->wslay, &m) ||
		wslay_event_send(ws->wslay))
		return -ENOMEM;
	return send_out(ws);
}

/* ---- in ---- */

static ssize_t wslay_recv(wslay_event_context_ptr ctx, uint8_t *p, size_t n,
	int flags, void *arg)
{
	struct load_ws *ws = arg;
	size_t left = ws->in.len - ws->in_at;

	(void)flags;
	if (!left || ws->dead) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	n = MIN(n, left);
	memcpy(p, ws->in.data + ws->in_at, n);
	ws->in_at += n;
	return (ssize_t)n;
}

static int wslay_mask(wslay_event_context_ptr ctx, uint8_t *p, size_t n,
	void *arg)
{
	(void)ctx, (void)arg;
	io_random(p, n);
	return 0;
}

static void wslay_msg(wslay_event_context_ptr ctx,
	const struct wslay_event_on_msg_recv_arg *m, void *arg)
{
	struct load_ws *ws = arg;

	(void)ctx;
	if (m->opcode == WSLAY_TEXT_FRAME && !ws->dead)
		ws->ev.on_text(ws->arg, (const char *)m->msg, m->msg_length);
}

static void closed_by_server(struct load_ws *ws)
{
	unsigned code = wslay_event_get_status_code_received(ws->wslay);
	char text[64];

	snprintf(text, sizeof text, "the server closed with %u", code);
	/* 44xx: conf-ctl(7) says that there is no use in coming back. */
	lose(ws, code / 100 == 44 ? 1 : 75, text);
}

static void read_frames(struct load_ws *ws)
{
	int rc = wslay_event_recv(ws->wslay);

	if (ws->dead)
		return;
	if (rc == 0 && wslay_event_want_write(ws->wslay))
		rc = wslay_event_send(ws->wslay);
	if (rc || send_out(ws))
		lose(ws, 75, "the connection failed");
	else if (wslay_event_get_close_received(ws->wslay))
		closed_by_server(ws);
	buf_consume(&ws->in, ws->in_at);
	ws->in_at = 0;
}

/* ---- the upgrade ---- */

static bool accept_is_right(const struct load_ws *ws, const char *head)
{
	const char *p = strcasestr(head, "\r\nsec-websocket-accept:");
	uint8_t sha1[EVP_MAX_MD_SIZE], want[32];
	char text[KEY_CHARS + sizeof GUID];
	unsigned n = 0;

	snprintf(text, sizeof text, "%s%s", ws->key, GUID);
	if (!p || EVP_Digest(text, strlen(text), sha1, &n, EVP_sha1(),
		NULL) != 1)
		return false;
	p = strchr(p, ':') + 1;
	p += strspn(p, " \t");
	EVP_EncodeBlock(want, sha1, (int)n);
	return !strncmp(p, (const char *)want, strlen((char *)want));
}

static int make_wslay(struct load_ws *ws)
{
	const struct wslay_event_callbacks cb = {
		.recv_callback = wslay_recv,
		.send_callback = wslay_send,
		.genmask_callback = wslay_mask,
		.on_msg_recv_callback = wslay_msg,
	};

	if (wslay_event_context_client_init(&ws->wslay, &cb, ws))
		return -ENOMEM;
	wslay_event_config_set_max_recv_msg_length(ws->wslay, CTL_MAX_OUT);
	return 0;
}

static void take_head(struct load_ws *ws)
{
	const char *head = buf_cstr(&ws->in);
	const char *end = head ? strstr(head, "\r\n\r\n") : NULL;
	char text[96];

	if (!end) {
		if (!head || ws->in.len > MAX_HEAD)
			lose(ws, 75, "the server does not speak HTTP");
		return;
	}
	if (strncmp(head, "HTTP/1.1 101", 12)) {
		snprintf(text, sizeof text, "the server says '%.*s'",
			(int)MIN(strcspn(head, "\r"), 60u), head);
		lose(ws, str_starts(head, "HTTP/1.1 5") ? 75 : 1, text);
		return;
	}
	if (!accept_is_right(ws, head) || make_wslay(ws)) {
		lose(ws, 75, "the server's upgrade is wrong");
		return;
	}
	buf_consume(&ws->in, (size_t)(end - head) + 4);
	ws->open = true;
	ws->ev.on_open(ws->arg);
}

static int ask_for_upgrade(struct load_ws *ws)
{
	uint8_t random[16];

	io_random(random, sizeof random);
	EVP_EncodeBlock((uint8_t *)ws->key, random, sizeof random);
	buf_printf(&ws->out, "GET %s HTTP/1.1\r\nHost: %s\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		ws->to->link->path, ws->to->link->authority, ws->key);
	return send_out(ws);
}

/* ---- the stream ---- */

static int take_bytes(struct load_ws *ws, const uint8_t *p, size_t n)
{
	struct buf cipher = {0};
	int err;

	if (!ws->tls) {
		buf_put(&ws->in, p, n);
		return ws->in.err;
	}
	err = load_tls_feed(ws->tls, p, n, &ws->in, &cipher);
	if (cipher.len && (!err || err == -EPROTO))
		(void)io_stream_send(ws->stream, cipher.data, cipher.len);
	buf_free(&cipher);
	return err;
}

static size_t on_data(void *arg, const uint8_t *p, size_t n)
{
	struct load_ws *ws = arg;
	int err;

	ws->busy++;
	err = take_bytes(ws, p, n);
	if (!ws->open && !err && ws->in.len)
		take_head(ws);
	if (ws->open && !ws->dead && ws->in.len)
		read_frames(ws);
	if (err == -EPROTO)
		lose(ws, 75, load_tls_error(ws->tls));
	else if (err)
		lose(ws, 75, "the server closed the connection");
	leave(ws);
	return n;
}

static void on_close(void *arg, int err)
{
	struct load_ws *ws = arg;

	ws->busy++;
	lose(ws, 75, err ? strerror(-err) : "the server closed the "
		"connection");
	leave(ws);
}

static int begin_stream(struct load_ws *ws)
{
	static const struct io_stream_events ev = {on_data, on_close, NULL};
	struct buf cipher = {0};
	int one = 1, err = 0;

	setsockopt(ws->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	ws->stream = io_stream_new(ws->loop, ws->fd, ws->fd, MAX_IN, MAX_OUT,
		&ev, ws);
	if (!ws->stream)
		return -ENOMEM;
	ws->fd = -1;
	if (ws->tls) { /* the first flight */
		err = load_tls_feed(ws->tls, NULL, 0, &ws->in, &cipher);
		if (!err)
			err = io_stream_send(ws->stream, cipher.data,
				cipher.len);
		buf_free(&cipher);
	}
	return err ? err : ask_for_upgrade(ws);
}

static void on_connected(void *arg, int fd, unsigned events);

/* Connects to the next address that does not refuse at once. */
static int dial(struct load_ws *ws)
{
	int err = -EHOSTUNREACH;

	while (ws->next < ws->to->n_addrs) {
		const union io_addr *a = &ws->to->addr[ws->next++];

		ws->fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC |
			SOCK_NONBLOCK, 0);
		if (ws->fd < 0)
			return -errno;
		if (connect(ws->fd, &a->sa, io_addr_len(a)) == 0 ||
			errno == EINPROGRESS) {
			ws->connecting = io_watch_new(ws->loop, ws->fd,
				IO_WRITE, on_connected, ws);
			return ws->connecting ? 0 : -ENOMEM;
		}
		err = -errno;
		close(ws->fd);
		ws->fd = -1;
	}
	return err;
}

static void on_connected(void *arg, int fd, unsigned events)
{
	struct load_ws *ws = arg;
	socklen_t n = sizeof(int);
	int err = 0;

	(void)events;
	ws->busy++;
	io_watch_free(ws->connecting);
	ws->connecting = NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n))
		err = errno;
	err = err ? -err : begin_stream(ws);
	if (err && ws->fd >= 0 && ws->next < ws->to->n_addrs) {
		close(ws->fd);
		ws->fd = -1;
		err = dial(ws);
	}
	if (err)
		lose(ws, 75, strerror(-err));
	leave(ws);
}

struct load_ws *load_ws_new(struct io_loop *l, const struct load_ws_to *to,
	const struct load_ws_events *ev, void *arg)
{
	struct load_ws *ws = calloc(1, sizeof *ws);
	int err = -ENOMEM;

	if (!ws)
		return NULL;
	*ws = (struct load_ws){.loop = l, .to = to, .ev = *ev, .arg = arg,
		.fd = -1};
	if (to->tls)
		ws->tls = load_tls_new(to->tls, to->link->host);
	if (!to->tls || ws->tls)
		err = dial(ws);
	if (!err)
		return ws;
	destroy(ws);
	errno = -err;
	return NULL;
}
