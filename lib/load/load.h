/* load - simulated participants: publishers and subscribers as real WebRTC
 * endpoints in one process, and a report of how they fared.
 *
 * They join a meeting by its link as people do, each a user of his own on a
 * WebSocket of his own; or they are put into a room of a relay that is run
 * for them and asked on its standard input.
 *
 * Sound is Opus frames that decode to silence, with audio levels, publishers
 * speaking in turn; pictures are VP8 in form: valid descriptors and frame
 * headers in front of bytes that no decoder likes. Each packet ends with a
 * stamp, by which the receiver knows how long it travelled.
 *
 * Units: ms and ns where names say so; rates in bits a second of RTP payload;
 * results as load_columns describes them.
 * Ownership: the configuration and what it points at are lent for life.
 * Errors: 0 or -errno; what users meet is counted, and the first of each kind
 * is logged.
 * Never: looks at names or at what others say in the meeting; decodes.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct io_loop;
struct load;

#define LOAD_MAX_USERS  5000u
#define LOAD_LINGER_MS  500 /* for what is still on its way at the end */
#define LOAD_LEAVE_MS   2000 /* for goodbyes */

struct load_media {
	uint32_t audio_bps;  /* 0: none */
	uint32_t audio_hz;   /* packets a second: 50, 100, 200 or 400 */
	uint32_t video_bps;  /* 0: none */
	uint32_t video_fps;
	uint16_t width, height; /* said by key frames */
	uint32_t payload_bytes; /* of a video packet at most */
	uint64_t key_ms;        /* between key frames that nobody asked for */
};

struct load_config {
	struct io_loop *loop;
	const char *link;          /* to join by; or NULL, and */
	const char *const *relay;  /* the command that is a relay */
	unsigned publishers;
	unsigned subscribers;
	bool both;                 /* publishers receive as well */
	bool burst;                /* the packets of a picture at once; else as
	                            * browsers do, at 2.5 times the rate */
	struct load_media media;
	uint64_t run_ms;           /* measured, from when all have joined */
	uint64_t ramp_ms;          /* over which they come, one by one */
	uint64_t wait_ms;          /* for one to join, and for a first frame */
	unsigned loss_permille;    /* of media that arrive, lost on purpose */
	pid_t pid;                 /* whose CPU is counted; 0: the relay's */
	bool ipv6;                 /* media by IPv6 */
	bool insecure;             /* take any certificate */
	/* Everything is over: the result stands. */
	void (*on_end)(void *arg);
	/* A word about what begins, for people; or NULL. */
	void (*on_progress)(void *arg, const char *text);
	void *arg;
};

/* What is not sound: a rate, a count, a link; said in why. */
int load_check(const struct load_config *c, char why[160]);

/* NULL with errno: ENOMEM, EINVAL (see load_check). */
struct load *load_new(const struct load_config *c);
/* Begins; on_end comes later. -errno with why: nothing was begun, on_end does
 * not come. -ENOENT the relay's command is not there, -EHOSTUNREACH no such
 * host. */
int load_start(struct load *l, char why[160]);
/* Ends before its time. */
void load_stop(struct load *l);
void load_free(struct load *l);

/* 0 all was done; else the exit status of what went wrong first: 1 refused,
 * or some did not join, were thrown out or never saw a frame; 3 the relay
 * failed; 75 not to be reached, or too busy; 124 too slow. Each was logged. */
int load_status(const struct load *l);
/* How many ever joined: without any there is nothing to tell. */
unsigned load_came(const struct load *l);

/* The report. Numbers that are not known are NAN. */
struct load_column {
	const char *name; /* key in JSON; order is that of the columns */
	unsigned decimals;
	const char *help;
};
extern const struct load_column load_columns[];
extern const size_t load_n_columns;
double load_value(const struct load *l, size_t column);

/* Append; for people, as columns, as JSON on one line. */
void load_put_text(const struct load *l, struct buf *out);
void load_put_columns(const struct load *l, struct buf *out);
int load_put_json(const struct load *l, struct buf *out);

#endif
