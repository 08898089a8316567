/* ctl_priv - what ctl's own files share. */
#ifndef CTL_PRIV_H
#define CTL_PRIV_H

#include "base.h"
#include "json.h"
#include "ctl.h"

#define CTL_PARSE_ERROR  (-32700)
#define CTL_BAD_REQUEST  (-32600)
#define CTL_NO_METHOD    (-32601)
#define CTL_INTERNAL     (-32603)
#define CTL_REFUSED      (-32000)

#define CTL_MAX_METHOD   64  /* bytes of a name */
#define CTL_MAX_ID       128 /* bytes of an id that is a string */
#define CTL_MAX_MESSAGE  512 /* bytes of words in an error, with NUL */

enum ctl_hello_state { HELLO_AWAITED, HELLO_ASKED, HELLO_DONE };

struct ctl {
	struct ctl_config cfg;
	struct ctl_stats stats;
	struct buf line; /* start of a line whose end has not come */
	struct buf held; /* u32 length and bytes each, until hello is done */
	enum ctl_hello_state hello; /* the peer's */
	bool greeted;
	bool mute;     /* a write failed: nothing more goes out */
	bool freed;    /* ctl_free came while depth > 0 */
	unsigned depth; /* public functions on the stack */
	int broken;
	struct list calls; /* struct ctl_call */
	size_t n_calls;
	struct list asks; /* struct ask */
	uint64_t last_id;
};

struct ctl_call {
	struct list link;
	struct ctl *c; /* NULL once the connection is gone */
	json_t *id;
	bool hello;
	char method[CTL_MAX_METHOD + 1];
};

struct ask {
	struct list link;
	uint64_t id;
	uint64_t deadline_ns;
	ctl_done *done;
	void *arg;
	bool hello;
};

/* Every public function that may run a callback is between these two: the
 * connection lives on until the outermost leaves. -ESHUTDOWN when it is
 * gone then. */
void ctl_enter(struct ctl *c);
int ctl_leave(struct ctl *c);

/* Ends a message begun in b, adds \n where lines are framed, and writes it. */
int ctl_emit(struct ctl *c, struct buf *b);
/* An error reply; id NULL prints null. extra is stolen or NULL. */
int ctl_emit_error(struct ctl *c, const json_t *id, int code,
	const char *kind, json_t *extra, const char *message);
/* The error reply to what closes the peer, and the flag. */
void ctl_refuse(struct ctl *c, const json_t *id, int code, const char *kind,
	int broken, const char *message);

/* Finds and ends the request that this response answers. False: malformed. */
bool ctl_answered(struct ctl *c, const json_t *response);
void ctl_abandon_asks(struct ctl *c);

/* Runs what waited for the answer to hello. */
void ctl_drain_held(struct ctl *c);

/* The table's own spelling, or NULL. */
const char *ctl_kind_find(const char *kind);
/* Appends message as a JSON string; bytes that are no UTF-8 are escaped. */
void ctl_put_string(struct buf *b, const char *message);

#endif
