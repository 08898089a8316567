/* rtcp - control packets: reports, SDES, BYE (RFC 3550 section 6), feedback
 * (RFC 4585, RFC 5104, draft-holmer-rmcat-transport-wide-cc-extensions-01).
 *
 * Units: ntp is 32.32 seconds since 1900; lsr and dlsr are its middle 32
 * bits (1/65536 s); rtp_ts and jitter are in units of the codec's clock.
 * Ownership: all that is parsed is lent from the bytes given. Writers append
 * one packet to out; compose a compound by writing several. They return 0,
 * -EINVAL (too many items: nothing was appended) or -ENOMEM.
 * Bounds: an inner count or length is never believed beyond the bytes of
 * the packet it stands in. -EBADMSG is a lie among those, or a packet of
 * another type than the function's; -ENOENT is an index behind the last.
 */
#ifndef RTCP_H
#define RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum rtcp_type {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_APP = 204,
	RTCP_RTPFB = 205, /* transport feedback: NACK, transport-cc */
	RTCP_PSFB = 206,  /* payload feedback: PLI, FIR */
	RTCP_XR = 207,
};
enum { RTCP_FMT_NACK = 1, RTCP_FMT_TWCC = 15 }; /* of RTCP_RTPFB */
enum { RTCP_FMT_PLI = 1, RTCP_FMT_FIR = 4, RTCP_FMT_AFB = 15 };

struct rtcp {
	uint8_t type;        /* enum rtcp_type, or one we do not know */
	uint8_t count;       /* blocks, sources, or FMT of a feedback */
	const uint8_t *body; /* behind the 4-byte header, without padding */
	size_t len;
};

struct rtcp_iter {
	const uint8_t *p;
	const uint8_t *end;
};

/* Walks a compound or reduced-size (RFC 5506) packet. */
struct rtcp_iter rtcp_iter(const uint8_t *p, size_t n);
/* 1 and a packet, 0 at the end, or -EBADMSG, after which it is at the end. */
int rtcp_next(struct rtcp_iter *it, struct rtcp *out);

struct rtcp_sr {
	uint32_t ssrc;
	uint64_t ntp;
	uint32_t rtp_ts;
	uint32_t packets;
	uint32_t octets; /* payload only */
};
struct rtcp_block {
	uint32_t ssrc;
	uint8_t fraction_lost; /* of 256, since the last report */
	int32_t lost;          /* 24 bits signed; writers clamp */
	uint32_t highest_seq;  /* extended by the count of wraps */
	uint32_t jitter;
	uint32_t lsr;
	uint32_t dlsr;
};
#define RTCP_MAX_BLOCKS 31

int rtcp_sr(const struct rtcp *r, struct rtcp_sr *out);
int rtcp_rr(const struct rtcp *r, uint32_t *ssrc);
/* Block i of an SR or RR. */
int rtcp_block(const struct rtcp *r, unsigned i, struct rtcp_block *out);
int rtcp_write_sr(struct buf *out, const struct rtcp_sr *sr,
	const struct rtcp_block *blocks, size_t n);
int rtcp_write_rr(struct buf *out, uint32_t ssrc,
	const struct rtcp_block *blocks, size_t n);

/* The CNAME of chunk i; -ENOENT also if that chunk has none. The text is not
 * closed by a NUL and may hold any byte. */
int rtcp_cname(const struct rtcp *r, unsigned i, uint32_t *ssrc,
	const char **cname, size_t *len);
/* One chunk with a CNAME of 1 to 255 bytes. */
int rtcp_write_sdes(struct buf *out, uint32_t ssrc, const char *cname);

int rtcp_bye(const struct rtcp *r, unsigned i, uint32_t *ssrc);
int rtcp_write_bye(struct buf *out, const uint32_t *ssrcs, size_t n);

/* The common part of RTCP_RTPFB and RTCP_PSFB (RFC 4585 section 6.1). */
struct rtcp_fb {
	uint8_t type;
	uint8_t fmt;
	uint32_t sender; /* SSRC of who complains */
	uint32_t media;  /* SSRC complained about; 0 in a FIR */
	const uint8_t *fci;
	size_t len;
};
int rtcp_fb(const struct rtcp *r, struct rtcp_fb *out);

/* NACK: fills seqs with at most max sequence numbers, in the packet's order,
 * and returns how many; whatever does not fit is left out. */
size_t rtcp_nack(const struct rtcp_fb *fb, uint16_t *seqs, size_t max);
/* seqs ascending (modulo 2^16), 1 to RTCP_MAX_NACKS of them; those within
 * 16 behind the first of an entry share it. */
#define RTCP_MAX_NACKS 256
int rtcp_write_nack(struct buf *out, uint32_t sender, uint32_t media,
	const uint16_t *seqs, size_t n);

int rtcp_write_pli(struct buf *out, uint32_t sender, uint32_t media);

/* FIR entry i: who shall send a key frame, and the command's number. */
int rtcp_fir(const struct rtcp_fb *fb, unsigned i, uint32_t *ssrc,
	uint8_t *seq);
int rtcp_write_fir(struct buf *out, uint32_t sender, uint32_t ssrc,
	uint8_t seq);

/* transport-cc feedback. */
#define RTCP_TWCC_MAX_PACKETS 8192 /* statuses that one feedback may have */
#define RTCP_TWCC_TICK_US     250

struct rtcp_twcc {
	uint16_t base_seq;
	uint16_t count;    /* statuses, received or not */
	int32_t reference; /* 24 bits signed, units of 64 ms */
	uint8_t fb_count;
	/* the iteration's own */
	const uint8_t *chunk;
	const uint8_t *delta;
	const uint8_t *end;
	uint16_t done;
	uint16_t in_chunk;
	int64_t now_us;
};
struct rtcp_twcc_status {
	uint16_t seq;
	bool received;
	int64_t at_us; /* arrival on the peer's clock; only if received */
};
/* Checks the whole of it, so that iteration cannot fail. -EBADMSG. */
int rtcp_twcc(const struct rtcp_fb *fb, struct rtcp_twcc *out);
bool rtcp_twcc_next(struct rtcp_twcc *t, struct rtcp_twcc_status *out);

/* Reports packets base_seq, base_seq + 1, …: at_us[i] is when it arrived,
 * or negative if it did not. Arrivals may go back in time by up to 8 s. It
 * reports as many of the n as one packet can (a gap of more than 8 s between
 * two arrivals, or RTCP_TWCC_MAX_WRITE, ends it) and tells how many in
 * *taken; the caller goes on with the rest in a further feedback, with
 * fb_count + 1. -EINVAL if none of the n has arrived. The reference wraps
 * after 12 days. */
#define RTCP_TWCC_MAX_WRITE 400 /* so that it fits an MTU */
int rtcp_write_twcc(struct buf *out, uint32_t sender, uint32_t media,
	uint8_t fb_count, uint16_t base_seq, const int64_t *at_us, size_t n,
	size_t *taken);

#endif
