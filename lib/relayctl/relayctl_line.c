/* relayctl_line - the connection to control: served at two descriptors, or
 * dialled again whenever it is gone. */
#include "relayctl_priv.h"

#define QUEUE_MAX   (1u << 20)  /* bytes to a control that does not read */
#define MENTION_MAX (1u << 16)  /* bytes that wait: nothing is mentioned */
#define LIST_MAX    (16u << 20) /* of our hello; control reads no more */

/* Once for each new trouble: a control that is away for a day is one line
 * in the log. */
PRINTF(2, 3)
static void trouble(struct relayctl *r, const char *fmt, ...)
{
	char text[sizeof r->trouble];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (str_eq(text, r->trouble))
		return;
	memcpy(r->trouble, text, sizeof text);
	io_log(IO_WARN, "%s", text);
}

static void redial(struct relayctl *r)
{
	uint64_t spread = RELAYCTL_REDIAL_MS * 2 / 5;

	if (r->dials && !r->ended)
		io_timer_in(r->redial, RELAYCTL_REDIAL_MS - spread / 2 +
			rng_below(&r->rng, spread + 1));
}

static void end(struct relayctl *r, int code)
{
	if (r->ended)
		return;
	r->ended = true;
	r->cfg.on_end(r->cfg.arg, code);
}

static void hung_up(void *arg);

void relayctl_hang_up(struct relayctl *r)
{
	struct ctl *c = r->ctl;

	r->ctl = NULL;
	r->asked = r->greeted = false;
	tickets_clear(r); /* who gave them does not know of them any more */
	io_undefer(r->cfg.loop, hung_up, r);
	if (r->hello)
		io_timer_stop(r->hello);
	ctl_free(c);
	/* What was written, an error for the peer that spoke badly, still
	 * goes out. */
	if (r->stream)
		io_stream_finish(r->stream);
	r->stream = NULL;
}

/* The connection is over: dial again, or that was all. */
static void lost(struct relayctl *r, int err)
{
	if (err == -EPIPE || err == -ECONNRESET)
		err = 0; /* it left, which is its right */
	if (err == -EPROTO || err == -EMSGSIZE) {
		r->malformed++;
		io_log(IO_WARN, "control is cut off: %s", err == -EPROTO ?
			"malformed message" : "message too long");
	} else if (r->dials && err) {
		trouble(r, "control is gone: %s", strerror(-err));
	} else if (r->dials) {
		/* Its keeper warns of a crash; at the end of everything this
		 * is how it should be. */
		io_log(IO_INFO, "control is gone");
	}
	relayctl_hang_up(r);
	if (!r->dials)
		end(r, err);
	redial(r);
}

/* What ctl says is wrong. A stream that cannot write closes by itself and
 * knows why; only when it was full, or memory short, it is for us to end it. */
static void broken(struct relayctl *r, int err)
{
	if (err == -EPIPE)
		err = r->unsent;
	if (err)
		lost(r, err);
}

/* A notification failed. That is noticed in the middle of other work, so
 * what to do about it waits until that is done. */
static void hung_up(void *arg)
{
	struct relayctl *r = arg;

	if (r->ctl)
		broken(r, ctl_broken(r->ctl));
}

static void notify(struct relayctl *r, bool may, const char *method,
	json_t *params)
{
	if (!r->ctl || !may || !params)
		json_decref(params);
	else if (ctl_notify(r->ctl, method, params))
		io_defer(r->cfg.loop, hung_up, r);
}

void relayctl_notify(struct relayctl *r, const char *method, json_t *params)
{
	notify(r, r->greeted, method, params);
}

void relayctl_report(struct relayctl *r, const char *method, json_t *params)
{
	notify(r, r->asked, method, params);
}

void relayctl_mention(struct relayctl *r, const char *method, json_t *params)
{
	notify(r, r->greeted && r->stream &&
		io_stream_queued(r->stream) < MENTION_MAX, method, params);
}

static int write_line(void *arg, const void *p, size_t n)
{
	struct relayctl *r = arg;
	int rc = r->stream ? io_stream_send(r->stream, p, n) : -EPIPE;

	if (rc && rc != -EPIPE)
		r->unsent = rc;
	return rc;
}

static size_t on_data(void *arg, const uint8_t *p, size_t n)
{
	struct relayctl *r = arg;
	int err = ctl_feed(r->ctl, p, n);

	if (err && err != -ESHUTDOWN)
		broken(r, err);
	return n;
}

static void on_close(void *arg, int err)
{
	struct relayctl *r = arg;

	io_stream_free(r->stream);
	r->stream = NULL;
	lost(r, err);
}

static void on_drained(void *arg)
{
	struct relayctl *r = arg;

	if (r->draining)
		end(r, 0);
}

void relayctl_flush_then_end(struct relayctl *r)
{
	if (!r->stream || !io_stream_queued(r->stream))
		end(r, 0);
}

/* Owns the descriptors in any case. */
static int connect_control(struct relayctl *r, int fd_in, int fd_out)
{
	static const struct io_stream_events events = {
		.on_data = on_data,
		.on_close = on_close,
		.on_drained = on_drained,
	};
	const struct ctl_config c = {
		.write = write_line,
		.arg = r,
		.methods = relayctl_methods,
		.n_methods = relayctl_n_methods,
		.lines = true,
		.max_in = r->dials ? CTL_MAX_OUT : CTL_MAX_IN,
		.max_out = r->dials ? LIST_MAX : CTL_MAX_OUT,
	};

	/* ctl bounds a line; the stream never waits with more than that. */
	r->stream = io_stream_new(r->cfg.loop, fd_in, fd_out, CTL_MAX_OUT,
		c.max_out + QUEUE_MAX, &events, r);
	if (!r->stream)
		return -ENOMEM;
	/* A packet that comes behind a request shall be handled as it says. */
	io_stream_first(r->stream);
	r->unsent = 0;
	r->ctl = ctl_new(&c);
	if (r->ctl)
		return 0;
	io_stream_free(r->stream);
	r->stream = NULL;
	return -ENOMEM;
}

int relayctl_serve(struct relayctl *r, int fd_in, int fd_out)
{
	int rc = connect_control(r, fd_in, fd_out);

	r->asked = r->greeted = !rc;
	return rc;
}

/* ---- dialling ---- */

static void on_hello(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct relayctl *r = arg;

	(void)result;
	if (!r->ctl) /* it is we who hang up */
		return;
	io_timer_stop(r->hello);
	if (err) {
		trouble(r, "control refuses us: %s", err->message);
		relayctl_hang_up(r);
		redial(r);
		return;
	}
	r->greeted = true;
	r->trouble[0] = '\0';
	io_log(IO_INFO, "control is '%s'", r->path);
	relayctl_retell(r);
}

/* Somebody holds the socket for a control that is not there, or that stands
 * still. We are first in its queue: to hang up would look like our death. */
static void hello_late(void *arg)
{
	trouble(arg, "control does not answer yet");
}

static int request_hello(struct relayctl *r, json_t *rooms)
{
	json_t *p = ctl_hello(r->cfg.agent, "relay");

	json_object_set_new(p, "instance", json_string(r->instance));
	json_object_set_new(p, "secret", json_string(r->secret));
	json_object_set_new(p, "rooms", rooms);
	if (r->bus)
		json_object_set_new(p, "bus", json_string(r->bus_path));
	if (!p)
		return -ENOMEM;
	return ctl_request(r->ctl, "hello", p, CTL_NEVER, on_hello, r);
}

/* What cannot be listed cannot be corrected, so it must not go on. */
static void forget_rooms(struct relayctl *r, const json_t *rooms)
{
	json_t *v;
	size_t i;

	io_log(IO_ERROR, "too many rooms to tell control of: all are dropped");
	json_array_foreach(rooms, i, v)
		sfu_room_remove(r->sfu, json_string_value(json_object_get(v,
			"room")));
	relayctl_rearm(r);
}

static int say_hello(struct relayctl *r)
{
	json_t *rooms = relayctl_rooms(r);
	int rc = request_hello(r, json_incref(rooms));

	if (rc == -EMSGSIZE) {
		forget_rooms(r, rooms);
		rc = request_hello(r, json_array());
	}
	json_decref(rooms);
	r->asked = !rc;
	if (!rc)
		io_timer_in(r->hello, RELAYCTL_HELLO_MS);
	return rc;
}

static void dial(void *arg)
{
	struct relayctl *r = arg;
	int fd = io_unix_connect(r->path), rc = fd;

	if (fd >= 0)
		rc = connect_control(r, fd, fd);
	if (rc >= 0)
		rc = say_hello(r);
	if (rc < 0) {
		trouble(r, "cannot reach control at '%s': %s", r->path,
			strerror(-rc));
		relayctl_hang_up(r);
		redial(r);
	}
}

int relayctl_dial(struct relayctl *r, const char *path, const char *instance,
	const char *secret)
{
	if (!str_is_meeting_id(instance) ||
	    str_copy(r->path, sizeof r->path, path) ||
	    str_copy(r->instance, sizeof r->instance, instance) ||
	    str_copy(r->secret, sizeof r->secret, secret))
		return -EINVAL;
	r->redial = io_timer_new(r->cfg.loop, dial, r);
	r->hello = io_timer_new(r->cfg.loop, hello_late, r);
	if (!r->redial || !r->hello)
		return -ENOMEM;
	r->dials = true;
	dial(r);
	return 0;
}
