/* Asking: requests to the peer, their answers and deadlines. */
#include "ctl_priv.h"

static int emit_asking(struct ctl *c, uint64_t id, const char *method,
	const void *params, size_t n)
{
	struct buf b = {0};
	int err;

	buf_puts(&b, "{\"jsonrpc\":\"2.0\",");
	if (id)
		buf_printf(&b, "\"id\":%" PRIu64 ",", id);
	buf_puts(&b, "\"method\":");
	ctl_put_string(&b, method);
	buf_puts(&b, ",\"params\":");
	buf_put(&b, params, n);
	buf_putc(&b, '}');
	err = ctl_emit(c, &b);
	buf_free(&b);
	return err;
}

/* Steals params. */
static int emit_params(struct ctl *c, uint64_t id, const char *method,
	json_t *params)
{
	struct buf text = {0};
	int err = 0;

	if (!params)
		buf_puts(&text, "{}");
	else if (json_write(params, &text))
		err = -ENOMEM; /* what can be read can be written */
	if (!err)
		err = text.err;
	if (!err)
		err = emit_asking(c, id, method, text.data, text.len);
	buf_free(&text);
	json_decref(params);
	return err;
}

int ctl_request(struct ctl *c, const char *method, json_t *params,
	uint64_t deadline_ns, ctl_done *done, void *arg)
{
	struct ask *a = c->mute ? NULL : calloc(1, sizeof(*a));
	uint64_t id = ++c->last_id;
	int err;

	if (!a) {
		json_decref(params);
		return c->mute ? -EPIPE : -ENOMEM;
	}
	a->id = id;
	a->deadline_ns = deadline_ns;
	a->done = done;
	a->arg = arg;
	a->hello = str_eq(method, "hello");
	list_append(&c->asks, &a->link);
	ctl_enter(c);
	err = emit_params(c, id, method, params);
	if (err && !c->freed) { /* ctl_free would have taken it */
		list_remove(&a->link);
		free(a);
	}
	/* Freed while it wrote: the callback has run, all is said. */
	if (ctl_leave(c))
		err = 0;
	return err;
}

int ctl_notify(struct ctl *c, const char *method, json_t *params)
{
	int err;

	ctl_enter(c);
	err = emit_params(c, 0, method, params);
	return ctl_leave(c) ? -EPIPE : err;
}

int ctl_notify_text(struct ctl *c, const char *method, const void *params,
	size_t n)
{
	int err;

	ctl_enter(c);
	err = emit_asking(c, 0, method, params, n);
	return ctl_leave(c) ? -EPIPE : err;
}

json_t *ctl_hello(const char *agent, const char *role)
{
	return json_pack("{s:[i],s:s,s:s,s:[]}", "protocol", CTL_PROTOCOL,
		"agent", agent, "role", role, "caps");
}

static void end(struct ask *a, const json_t *result,
	const struct ctl_error *err)
{
	ctl_done *done = a->done;
	void *arg = a->arg;

	list_remove(&a->link);
	free(a);
	if (done)
		done(arg, result, err);
}

void ctl_abandon_asks(struct ctl *c)
{
	static const struct ctl_error gone = {.code = CTL_REFUSED,
		.kind = "unavailable",
		.message = "the connection is closed"};

	/* A callback may end others, so always the first. */
	while (!list_empty(&c->asks))
		end(list_entry(c->asks.next, struct ask, link), NULL, &gone);
}

static bool error_read(const json_t *e, struct ctl_error *out)
{
	const json_t *code = json_object_get(e, "code");
	const char *kind;

	if (!json_is_integer(code))
		return false;
	out->code = (int)json_integer_value(code);
	out->message = json_string_value(json_object_get(e, "message"));
	if (!out->message)
		return false;
	out->data = json_object_get(e, "data");
	kind = json_string_value(json_object_get(out->data, "kind"));
	if (!kind)
		kind = out->code == CTL_REFUSED || out->code == CTL_INTERNAL
			? "internal"
			: "invalid";
	out->kind = kind;
	return true;
}

/* What a hello's answer must hold to be one. */
static bool speaks_ours(const json_t *result)
{
	return json_integer_value(json_object_get(result, "protocol")) ==
		CTL_PROTOCOL;
}

bool ctl_answered(struct ctl *c, const json_t *v)
{
	static const struct ctl_error stranger = {.code = CTL_REFUSED,
		.kind = "unavailable",
		.message = "the other end speaks no protocol version of ours"};
	const json_t *id = json_object_get(v, "id");
	const json_t *result = json_object_get(v, "result");
	const json_t *error = json_object_get(v, "error");
	struct ctl_error e = {0};

	if (!id || !result == !error || (error && !error_read(error, &e)))
		return false;
	list_each(l, safe, &c->asks) {
		struct ask *a = list_entry(l, struct ask, link);

		if (!json_is_integer(id) ||
			(uint64_t)json_integer_value(id) != a->id)
			continue;
		if (result && a->hello && !speaks_ours(result)) {
			end(a, NULL, &stranger);
			return true;
		}
		if (result && a->hello)
			c->greeted = true;
		end(a, result, error ? &e : NULL);
		return true;
	}
	c->stats.strays++;
	return true;
}

uint64_t ctl_deadline(const struct ctl *c)
{
	uint64_t next = CTL_NEVER;

	list_each(l, safe, &c->asks)
		next = MIN(next,
			list_entry(l, struct ask, link)->deadline_ns);
	return next;
}

static struct ask *expired(struct ctl *c, uint64_t now_ns)
{
	list_each(l, safe, &c->asks) {
		struct ask *a = list_entry(l, struct ask, link);

		if (a->deadline_ns != CTL_NEVER && a->deadline_ns <= now_ns)
			return a;
	}
	return NULL;
}

void ctl_tick(struct ctl *c, uint64_t now_ns)
{
	static const struct ctl_error late = {.code = CTL_REFUSED,
		.kind = "timeout",
		.message = "no answer in time"};
	struct ask *a;

	ctl_enter(c);
	while (!c->freed && (a = expired(c, now_ns))) {
		c->stats.timeouts++;
		end(a, NULL, &late);
	}
	ctl_leave(c);
}
