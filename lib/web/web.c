/* The HTTP server: listeners, dispatch, headers of every reply. */
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>
#include "web_priv.h"

#define TICK_MS   1000
#define PING_TICKS 15
#define WARNINGS_MAX 10 /* lines of log, a second */

static const struct {
	const char *name, *value;
} fixed_headers[] = {
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Permissions-Policy", "camera=(self), microphone=(self), "
		"display-capture=(self), geolocation=(), payment=(), usb=(), "
		"serial=(), hid=(), midi=(), browsing-topics=()"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Embedder-Policy", "require-corp"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
};

void web_headers(struct web *w, struct evhttp_request *req)
{
	struct evkeyvalq *h = evhttp_request_get_output_headers(req);
	const char *host = w->client.host, *s = w->client.tls ? "s" : "";
	char self[WEB_HOST_CAP + WEB_BASE_CAP + 16] = "'self'";
	char socket[sizeof(self)] = "";
	struct buf csp = {0};

	for (size_t i = 0; i < ARRAY_LEN(fixed_headers); i++)
		evhttp_add_header(h, fixed_headers[i].name,
			fixed_headers[i].value);
	/* Who shares a host with others shares no more than he must. */
	if (*host && *w->base)
		snprintf(self, sizeof(self), "http%s://%s%s/", s, host,
			w->base);
	/* Older Safari does not count wss: as 'self'. */
	if (*host)
		snprintf(socket, sizeof(socket), " ws%s://%s%s%s", s, host,
			w->base, *w->base ? "/ws" : "");
	buf_printf(&csp, "default-src 'none'; script-src %s; "
		"style-src %s; img-src %s blob:; connect-src %s%s; "
		"media-src blob:; base-uri 'none'; form-action 'none'; "
		"frame-ancestors %s", self, self, self, self, socket,
		w->frames);
	/* Without memory: a page that may do nothing. */
	evhttp_add_header(h, "Content-Security-Policy", buf_cstr(&csp) ?
		(const char *)csp.data : "default-src 'none'; "
		"frame-ancestors 'none'");
	buf_free(&csp);
	if (w->hsts && w->tls)
		evhttp_add_header(h, "Strict-Transport-Security",
			"max-age=31536000");
}

void web_reply(struct web *w, struct evhttp_request *req, int code,
	const char *phrase, const char *text)
{
	struct evkeyvalq *h = evhttp_request_get_output_headers(req);
	struct evbuffer *body = text ? evbuffer_new() : NULL;

	if (body) {
		evhttp_add_header(h, "Content-Type",
			"text/plain; charset=utf-8");
		if (evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
			evbuffer_add(body, text, strlen(text));
	}
	if (!evhttp_find_header(h, "Cache-Control"))
		evhttp_add_header(h, "Cache-Control", "no-store");
	web_headers(w, req);
	evhttp_send_reply(req, code, phrase, body);
	if (body)
		evbuffer_free(body);
}

/* Exactly one host that is one, but for HTTP/1.0, which may have none. */
static bool host_fits(struct evhttp_request *req)
{
	struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const struct evkeyval *kv;
	int n = 0;

	for (kv = in->tqh_first; kv; kv = kv->next.tqe_next)
		if (!strcasecmp(kv->key, "Host")) {
			if (!web_host_ok(kv->value))
				return false;
			n++;
		}
	return n == 1 || (n == 0 && req->major == 1 && req->minor == 0);
}

/* We take no bodies, and evhttp reads none with GET and HEAD: it would take
 * one for the next request, which a proxy before us would answer somebody
 * else with. So would what it makes of two lengths, or of "+5". */
static bool has_body(struct evhttp_request *req)
{
	const struct evkeyval *kv = evhttp_request_get_input_headers(
		req)->tqh_first;

	for (; kv; kv = kv->next.tqe_next)
		if (!strcasecmp(kv->key, "Transfer-Encoding") ||
			(!strcasecmp(kv->key, "Content-Length") &&
				!str_eq(kv->value, "0")))
			return true;
	return false;
}

/* Where the next request begins is not known, or not believed. */
static void close_after(struct evhttp_request *req)
{
	evhttp_add_header(evhttp_request_get_output_headers(req),
		"Connection", "close");
}

/* Answers what cannot be told whose it is. */
static bool client_known(struct web *w, struct evhttp_request *req)
{
	const char *why;
	char addr[IO_ADDR_CAP];
	union io_addr peer;

	if (web_client(w, req, &w->client, &why) == 0)
		return true;
	web_source(w, req, &peer);
	io_addr_format(addr, &peer);
	w->client.host[0] = '\0';
	close_after(req);
	if (w->warnings++ < WARNINGS_MAX)
		io_log(IO_WARN, "refused a request that %s forwards: %s",
			addr, why);
	web_reply(w, req, 400, "Bad Request", "bad forwarding headers\n");
	return false;
}

/* The base itself is no place that the page's own addresses fit. */
static void redirect(struct web *w, struct evhttp_request *req)
{
	char to[WEB_BASE_CAP + 8];

	snprintf(to, sizeof(to), "%s/m/", w->base);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Location",
		to);
	web_reply(w, req, 308, "Permanent Redirect", "");
}

static void replied(struct evhttp_request *req, void *arg)
{
	(void)arg;
	web_tls_deadline(evhttp_connection_get_bufferevent(
		evhttp_request_get_connection(req)), WEB_REQUEST_MS);
}

static void dispatch(struct evhttp_request *req, void *arg)
{
	struct web *w = arg;
	struct evhttp_connection *conn = evhttp_request_get_connection(req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(conn);
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	const char *path = web_below(evhttp_uri_get_path(
		evhttp_request_get_evhttp_uri(req)), w->base);

	if (w->tls && !bufferevent_openssl_get_ssl(bev)) {
		/* Memory was short and evhttp made do without TLS. */
		evhttp_connection_free(conn);
		return;
	}
	web_tls_deadline(bev, WEB_REPLY_MS);
	evhttp_request_set_on_complete_cb(req, replied, w);
	w->client = (struct web_client){.tls = w->tls != NULL};
	if (!host_fits(req)) {
		close_after(req);
		web_reply(w, req, 400, "Bad Request", "bad host\n");
	} else if (!client_known(w, req)) {
		return;
	} else if (!web_admits(w, req, str_eq(path, "/ws") ? GUARD_SOCKET :
		GUARD_REQUEST)) {
		; /* answered */
	} else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		evhttp_add_header(evhttp_request_get_output_headers(req),
			"Allow", "GET, HEAD");
		close_after(req);
		web_reply(w, req, 405, "Method Not Allowed", "GET or HEAD\n");
	} else if (has_body(req)) {
		close_after(req);
		web_reply(w, req, 400, "Bad Request", "no body wanted\n");
	} else if (!path) {
		web_reply(w, req, 404, "Not Found", "not found\n");
	} else if (*w->base && (!*path || str_eq(path, "/"))) {
		redirect(w, req);
	} else if (str_eq(path, "/ws")) {
		web_ws_upgrade(w, req);
	} else if (str_eq(path, "/healthz")) {
		bool well = !w->ev.healthy || w->ev.healthy(w->arg);

		web_reply(w, req, well ? 200 : 503, well ? "OK" :
			"Service Unavailable", well ? "ok\n" : "not well\n");
	} else {
		web_file_send(w, req, path);
	}
}

static struct bufferevent *new_bev(struct event_base *base, void *arg)
{
	struct web *w = arg;

	return w->tls ? web_tls_bev(w, base) : bufferevent_socket_new(base,
		-1, BEV_OPT_CLOSE_ON_FREE);
}

static void ticked(void *arg)
{
	struct web *w = arg;

	io_timer_in(w->tick, TICK_MS);
	w->warnings = 0;
	for (int i = 0; i < w->n_listeners; i++)
		evconnlistener_enable(w->listeners[i]);
	if (++w->ticks % PING_TICKS == 0)
		web_ws_ping_all(w);
}

/* Out of descriptors or memory: what waits stays in the backlog until the
 * next tick, instead of turning the loop around it. */
static void accept_failed(struct evconnlistener *l, void *arg)
{
	(void)arg; /* evhttp's own */
	io_log(IO_WARN, "cannot accept connections: %s", strerror(errno));
	evconnlistener_disable(l);
}

static int start(struct web *w, const struct web_config *c)
{
	w->http = evhttp_new(io_loop_base(w->loop));
	w->tick = io_timer_new(w->loop, ticked, w);
	w->base = strdup(c->base ? c->base : "");
	if (!w->http || !w->tick || !w->base)
		return -ENOMEM;
	evhttp_set_max_headers_size(w->http, WEB_MAX_IN);
	evhttp_set_max_body_size(w->http, WEB_MAX_IN);
	evhttp_set_timeout(w->http, WEB_REQUEST_MS / 1000);
	evhttp_set_default_content_type(w->http, NULL);
	evhttp_set_allowed_methods(w->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST |
		EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
		EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_bevcb(w->http, new_bev, w);
	evhttp_set_gencb(w->http, dispatch, w);
	io_timer_in(w->tick, TICK_MS);
	return 0;
}

struct web *web_new(struct io_loop *l, const struct web_config *c,
	const struct web_events *ev, void *arg, char why[160])
{
	struct web *w = calloc(1, sizeof(*w));
	int err = ENOMEM;

	snprintf(why, 160, "out of memory");
	if (!w)
		return NULL;
	w->loop = l;
	w->ev = *ev;
	w->arg = arg;
	w->hsts = c->hsts;
	w->guard = c->guard;
	list_init(&w->sockets);
	w->www = open(c->www, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->www < 0) {
		err = errno;
		snprintf(why, 160, "cannot open folder '%s': %s", c->www,
			strerror(err));
		goto out;
	}
	err = -web_renewal(w, c, why);
	if (!err && c->base && !web_is_base(c->base)) {
		err = EINVAL;
		snprintf(why, 160, "not a path to be below: '%.100s'",
			c->base);
	}
	if (!err)
		err = -start(w, c);
	if (!err)
		return w;
out:
	web_free(w);
	errno = err;
	return NULL;
}

int web_listen(struct web *w, int fd)
{
	struct evconnlistener *l;

	if (w->n_listeners == WEB_LISTENERS)
		return -ENOSPC;
	if (io_nonblock(fd) < 0)
		return -EBADF;
	l = evconnlistener_new(io_loop_base(w->loop), NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!l)
		return -ENOMEM;
	if (!evhttp_bind_listener(w->http, l)) {
		evconnlistener_free(l);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(l, accept_failed);
	w->listeners[w->n_listeners++] = l;
	return 0;
}

void web_quiet(struct web *w)
{
	while (w->n_listeners)
		evconnlistener_disable(w->listeners[--w->n_listeners]);
}

size_t web_sockets(const struct web *w)
{
	size_t n = 0;

	for (const struct list *l = w->sockets.next; l != &w->sockets;
		l = l->next)
		n++;
	return n;
}

void web_free(struct web *w)
{
	if (!w)
		return;
	web_ws_free_all(w);
	if (w->http)
		evhttp_free(w->http);
	io_timer_free(w->tick);
	SSL_CTX_free(w->tls);
	web_words_free(w->origins);
	free(w->frames);
	free(w->trust);
	free(w->base);
	if (w->www >= 0)
		close(w->www);
	free(w);
}
