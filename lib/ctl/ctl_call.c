/* Answering: results and errors for the peer's requests. */
#include "ctl_priv.h"

struct ctl *ctl_call_conn(const struct ctl_call *call)
{
	return call->c;
}

const char *ctl_call_method(const struct ctl_call *call)
{
	return call->method;
}

/* After this the call is nobody's but ours; c may be NULL. */
static struct ctl *detach(struct ctl_call *call)
{
	struct ctl *c = call->c;

	if (c) {
		list_remove(&call->link);
		c->n_calls--;
		ctl_enter(c);
	}
	return c;
}

static void release(struct ctl_call *call)
{
	json_decref(call->id);
	free(call);
}

static int emit_result(struct ctl *c, const json_t *id, const json_t *result)
{
	struct buf b = {0};
	char words[80];
	int err;

	buf_puts(&b, "{\"jsonrpc\":\"2.0\",\"id\":");
	if (json_write(id, &b))
		b.err = -ENOMEM;
	buf_puts(&b, ",\"result\":");
	if (!result)
		buf_puts(&b, "{}");
	else if (json_write(result, &b))
		b.err = -ENOMEM;
	buf_putc(&b, '}');
	err = ctl_emit(c, &b);
	if (err == -EMSGSIZE) {
		snprintf(words, sizeof(words),
			"the answer has %zu bytes, more than %zu", b.len,
			c->cfg.max_out);
		err = ctl_emit_error(c, id, CTL_REFUSED, "limit", NULL,
			words);
	}
	buf_free(&b);
	return err;
}

/* The answer to hello opens the door to what waited behind it. */
static void hello_over(struct ctl *c)
{
	c->hello = HELLO_DONE;
	if (c->depth == 1) /* else the feed on the stack goes on with it */
		ctl_drain_held(c);
}

void ctl_reply(struct ctl_call *call, json_t *result)
{
	struct ctl *c;

	if (!call) {
		json_decref(result);
		return;
	}
	c = detach(call);
	if (c && c->cfg.answered)
		c->cfg.answered(c->cfg.arg, call->method, NULL);
	if (c && call->hello && !json_object_get(result, "protocol") &&
		(!result || json_is_object(result))) {
		if (!result)
			result = json_object();
		json_object_set_new(result, "protocol",
			json_integer(CTL_PROTOCOL));
	}
	if (c) {
		int err = emit_result(c, call->id, result);

		if (call->hello && !err && !c->freed) {
			c->greeted = true;
			hello_over(c);
		}
		ctl_leave(c);
	}
	json_decref(result);
	release(call);
}

void ctl_fail_with(struct ctl_call *call, const char *kind, json_t *extra,
	const char *message)
{
	const char *known = ctl_kind_find(kind);
	struct ctl *c;

	if (!call) {
		json_decref(extra);
		return;
	}
	c = detach(call);
	if (c) {
		if (c->cfg.answered)
			c->cfg.answered(c->cfg.arg, call->method, known ?
				known : "internal");
		ctl_emit_error(c, call->id, CTL_REFUSED,
			known ? known : "internal", extra, message);
		if (call->hello && !c->cfg.hello_first)
			hello_over(c);
		else if (call->hello && !c->broken)
			c->broken = -EPROTO;
		ctl_leave(c);
	} else {
		json_decref(extra);
	}
	release(call);
}

void ctl_fail(struct ctl_call *call, const char *kind, const char *fmt, ...)
{
	char words[CTL_MAX_MESSAGE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	ctl_fail_with(call, kind, NULL, words);
}
