/* A connection: framing, the order of messages, dispatch. */
#include "ctl_priv.h"

struct ctl *ctl_new(const struct ctl_config *cfg)
{
	struct ctl *c;

	if (!cfg->write || (cfg->n_methods && !cfg->methods)) {
		errno = EINVAL;
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->cfg = *cfg;
	if (!c->cfg.max_in)
		c->cfg.max_in = CTL_MAX_IN;
	if (!c->cfg.max_out)
		c->cfg.max_out = CTL_MAX_OUT;
	list_init(&c->calls);
	list_init(&c->asks);
	return c;
}

static void destroy(struct ctl *c)
{
	buf_free(&c->line);
	buf_free(&c->held);
	free(c);
}

void ctl_free(struct ctl *c)
{
	if (!c || c->freed)
		return;
	c->freed = true;
	c->mute = true;
	c->depth++;
	list_each(l, safe, &c->calls) {
		list_entry(l, struct ctl_call, link)->c = NULL;
		list_remove(l);
	}
	ctl_abandon_asks(c);
	c->depth--;
	if (!c->depth)
		destroy(c);
}

void ctl_enter(struct ctl *c)
{
	c->depth++;
}

int ctl_leave(struct ctl *c)
{
	c->depth--;
	if (!c->freed)
		return 0;
	if (!c->depth)
		destroy(c);
	return -ESHUTDOWN;
}

int ctl_broken(const struct ctl *c)
{
	return c->broken;
}

bool ctl_greeted(const struct ctl *c)
{
	return c->greeted;
}

struct ctl_stats ctl_stats(const struct ctl *c)
{
	return c->stats;
}

int ctl_emit(struct ctl *c, struct buf *b)
{
	int err = b->err;

	if (c->mute)
		return -EPIPE;
	if (!err && b->len > c->cfg.max_out)
		return -EMSGSIZE;
	if (c->cfg.lines)
		buf_putc(b, '\n');
	if (!err)
		err = b->err;
	if (!err) {
		c->stats.out++;
		if (!c->cfg.write(c->cfg.arg, b->data, b->len))
			return 0;
		err = -EPIPE;
	}
	/* The peer would wait for ever for what could not be said. */
	c->mute = true;
	if (!c->broken)
		c->broken = err;
	return err;
}

int ctl_emit_error(struct ctl *c, const json_t *id, int code,
	const char *kind, json_t *extra, const char *message)
{
	struct buf b = {0};
	const char *key;
	json_t *v;
	int err;

	buf_puts(&b, "{\"jsonrpc\":\"2.0\",\"id\":");
	if (!id)
		buf_puts(&b, "null");
	else if (json_write(id, &b))
		b.err = -ENOMEM;
	buf_printf(&b, ",\"error\":{\"code\":%d,\"message\":", code);
	ctl_put_string(&b, message);
	buf_printf(&b, ",\"data\":{\"kind\":\"%s\"", kind);
	json_object_foreach(extra, key, v) {
		buf_putc(&b, ',');
		ctl_put_string(&b, key);
		buf_putc(&b, ':');
		if (json_write(v, &b))
			b.err = -ENOMEM;
	}
	buf_puts(&b, "}}}");
	err = ctl_emit(c, &b);
	buf_free(&b);
	if (err == -EMSGSIZE && extra)
		err = ctl_emit_error(c, id, code, kind, NULL, message);
	json_decref(extra);
	return err;
}

void ctl_refuse(struct ctl *c, const json_t *id, int code, const char *kind,
	int broken, const char *message)
{
	if (!c->broken)
		c->broken = broken;
	c->stats.malformed++;
	ctl_emit_error(c, id, code, kind, NULL, message);
}

static bool id_ok(const json_t *id)
{
	return json_is_integer(id) ||
		(json_is_string(id) && json_string_length(id) <= CTL_MAX_ID);
}

/* The words of what is wrong with a hello's params, or NULL. */
static const char *hello_fault(const json_t *params)
{
	const char *bad = NULL;
	const json_t *protocol = json_arr(params, "protocol", &bad);
	const json_t *caps = json_arr(params, "caps", &bad);
	const char *agent = json_str(params, "agent", &bad);
	const char *role = json_str(params, "role", &bad);
	bool common = false;

	if (bad)
		return "hello: protocol and caps are lists, agent and role "
		       "are strings";
	for (size_t i = 0; i < json_array_size(protocol); i++) {
		const json_t *v = json_array_get(protocol, i);

		common |= json_is_integer(v) &&
			json_integer_value(v) == CTL_PROTOCOL;
	}
	if (!common)
		return "hello: no common protocol version, this end speaks 1";
	if ((agent && strlen(agent) > 200) || (role && strlen(role) > 32))
		return "hello: agent or role too long";
	if (json_array_size(caps) > 32)
		return "hello: more than 32 caps";
	for (size_t i = 0; i < json_array_size(caps); i++)
		if (json_string_length(json_array_get(caps, i)) < 1 ||
			json_string_length(json_array_get(caps, i)) > 64)
			return "hello: a cap is a string of 1 to 64 bytes";
	return NULL;
}

static const struct ctl_method *find(const struct ctl *c, const char *name)
{
	for (size_t i = 0; i < c->cfg.n_methods; i++)
		if (str_eq(c->cfg.methods[i].name, name))
			return &c->cfg.methods[i];
	return NULL;
}

static void run(struct ctl *c, const struct ctl_method *m, const json_t *id,
	const json_t *params, bool hello)
{
	struct ctl_call *call = NULL;

	if (id) {
		if (c->n_calls >= CTL_MAX_CALLS) {
			ctl_emit_error(c, id, CTL_REFUSED, "busy", NULL,
				"too many requests wait for an answer");
			return;
		}
		call = calloc(1, sizeof(*call));
		if (call)
			call->id = json_deep_copy(id);
		if (!call || !call->id) {
			free(call);
			c->broken = -ENOMEM;
			return;
		}
		call->c = c;
		call->hello = hello;
		str_copy(call->method, sizeof(call->method), m->name);
		list_append(&c->calls, &call->link);
		c->n_calls++;
	}
	if (hello)
		c->hello = HELLO_ASKED;
	m->run(c->cfg.arg, call, params);
}

/* False when the peer is refused. */
static bool hello_in_turn(struct ctl *c, const json_t *id, bool hello,
	const json_t *params)
{
	const char *fault;

	if (!hello) {
		if (!c->cfg.hello_first || c->hello == HELLO_DONE)
			return true;
		ctl_refuse(c, id, CTL_REFUSED, "denied", -EPROTO,
			"hello comes first");
		return false;
	}
	if (c->hello != HELLO_AWAITED)
		fault = "hello was said already";
	else if (!id)
		fault = "hello is a request, it needs an id";
	else
		fault = hello_fault(params);
	if (fault)
		ctl_refuse(c, id, CTL_REFUSED, "invalid", -EPROTO, fault);
	return !fault;
}

static void asked(struct ctl *c, const char *name, const json_t *id,
	const json_t *given)
{
	bool hello = str_eq(name, "hello");
	const struct ctl_method *m = find(c, name);
	json_t *none = NULL;
	char words[128];

	if (!given || json_is_null(given)) {
		given = none = json_object();
		if (!none) {
			c->broken = -ENOMEM;
			return;
		}
	}
	if (!json_is_object(given)) {
		if (hello_in_turn(c, id, false, given) && id)
			ctl_emit_error(c, id, CTL_REFUSED, "invalid", NULL,
				"params must be an object");
		return;
	}
	if (!hello_in_turn(c, id, hello && (m || c->cfg.hello_first), given))
		goto out;
	if (m) {
		run(c, m, id, given, hello);
		goto out;
	}
	c->stats.unknown++;
	snprintf(words, sizeof(words), "no such method: %s", name);
	if (id && c->cfg.answered)
		c->cfg.answered(c->cfg.arg, name, "invalid");
	if (id)
		ctl_emit_error(c, id, CTL_NO_METHOD, "invalid", NULL, words);
out:
	json_decref(none);
}

static void message(struct ctl *c, const json_t *v)
{
	const json_t *id = json_object_get(v, "id");
	const json_t *method = json_object_get(v, "method");

	if (!json_is_object(v)) {
		ctl_refuse(c, NULL, CTL_BAD_REQUEST, "invalid", -EPROTO,
			json_is_array(v) ? "batches are not spoken here"
					 : "a message is an object");
		return;
	}
	if (!str_eq(json_string_value(json_object_get(v, "jsonrpc")), "2.0")) {
		ctl_refuse(c, id_ok(id) ? id : NULL, CTL_BAD_REQUEST,
			"invalid", -EPROTO, "jsonrpc must be \"2.0\"");
		return;
	}
	if (!method) {
		if (c->cfg.hello_first && c->hello != HELLO_DONE)
			ctl_refuse(c, NULL, CTL_REFUSED, "denied", -EPROTO,
				"hello comes first");
		else if (!ctl_answered(c, v))
			ctl_refuse(c, NULL, CTL_BAD_REQUEST, "invalid",
				-EPROTO, "neither request nor response");
		return;
	}
	if (id && !id_ok(id))
		ctl_refuse(c, NULL, CTL_BAD_REQUEST, "invalid", -EPROTO,
			"id must be an integer or a string of up to 128 "
			"bytes");
	else if (!json_is_string(method) ||
		json_string_length(method) > CTL_MAX_METHOD)
		ctl_refuse(c, id, CTL_BAD_REQUEST, "invalid", -EPROTO,
			"method must be a string of up to 64 bytes");
	else
		asked(c, json_string_value(method), id,
			json_object_get(v, "params"));
}

static void parse(struct ctl *c, const uint8_t *p, size_t n)
{
	char why[160], words[200];
	json_t *v;

	c->stats.in++;
	v = json_read_max(p, n, c->cfg.max_in, why);
	if (v) {
		message(c, v);
		json_decref(v);
	} else if (errno == ENOMEM) {
		c->broken = -ENOMEM;
	} else if (errno == EMSGSIZE) {
		snprintf(words, sizeof(words), "message %s", why);
		ctl_refuse(c, NULL, CTL_BAD_REQUEST, "limit", -EMSGSIZE,
			words);
	} else {
		snprintf(words, sizeof(words), "no JSON: %s", why);
		ctl_refuse(c, NULL, CTL_PARSE_ERROR, "invalid", -EPROTO,
			words);
	}
}

/* A whole message: runs now, or waits for the answer to hello. What waits
 * is bounded, for nobody has said yet who the peer is. */
static void take(struct ctl *c, const uint8_t *p, size_t n)
{
	if (c->hello != HELLO_ASKED) {
		parse(c, p, n);
		return;
	}
	if (n > c->cfg.max_in || c->held.len + 4 + n > 4 * c->cfg.max_in) {
		ctl_refuse(c, NULL, CTL_BAD_REQUEST, "limit", -EMSGSIZE,
			"too much before the answer to hello");
		return;
	}
	buf_u32(&c->held, (uint32_t)n);
	buf_put(&c->held, p, n);
	if (c->held.err)
		c->broken = -ENOMEM;
}

void ctl_drain_held(struct ctl *c)
{
	struct buf held = c->held;
	struct rd r = rd_of(held.data, held.len);

	c->held = (struct buf){0};
	while (rd_left(&r) && !c->broken && !c->freed) {
		uint32_t n = rd_u32(&r);
		const uint8_t *p = rd_bytes(&r, n);

		if (p)
			parse(c, p, n);
	}
	buf_free(&held);
}

static bool stopped(const struct ctl *c)
{
	return c->broken || c->freed;
}

/* An empty line is nothing, so that a person may press Return. */
static void take_line(struct ctl *c, const uint8_t *p, size_t n)
{
	if (n == 0 || (n == 1 && *p == '\r'))
		return;
	take(c, p, n);
	if (!stopped(c) && c->hello == HELLO_DONE && c->held.len)
		ctl_drain_held(c);
}

/* Returns the rest that is the start of a line. */
static size_t take_lines(struct ctl *c, const uint8_t *p, size_t n)
{
	const uint8_t *end;

	while (n && !stopped(c) && (end = memchr(p, '\n', n))) {
		size_t len = (size_t)(end - p);

		if (c->line.len) {
			struct buf whole = c->line;

			c->line = (struct buf){0};
			buf_put(&whole, p, len);
			if (whole.err)
				c->broken = -ENOMEM;
			else
				take_line(c, whole.data, whole.len);
			buf_free(&whole);
		} else {
			take_line(c, p, len);
		}
		p = end + 1;
		n -= len + 1;
	}
	return n;
}

static int left(struct ctl *c)
{
	int err = c->broken;

	return ctl_leave(c) ? -ESHUTDOWN : err;
}

int ctl_feed(struct ctl *c, const void *p, size_t n)
{
	size_t rest;

	if (c->broken)
		return c->broken;
	ctl_enter(c);
	rest = take_lines(c, p, n);
	if (!stopped(c) && rest) {
		if (c->line.len + rest > c->cfg.max_in)
			ctl_refuse(c, NULL, CTL_BAD_REQUEST, "limit",
				-EMSGSIZE, "line too long");
		else
			buf_put(&c->line, (const uint8_t *)p + (n - rest),
				rest);
		if (c->line.err)
			c->broken = -ENOMEM;
	}
	return left(c);
}

int ctl_message(struct ctl *c, const void *p, size_t n)
{
	if (c->broken)
		return c->broken;
	ctl_enter(c);
	take(c, p, n);
	if (!stopped(c) && c->hello == HELLO_DONE && c->held.len)
		ctl_drain_held(c);
	return left(c);
}
