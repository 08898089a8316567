#include "rtpext.h"

#include "base.h"
#include "rtp.h"

struct rtpext_iter rtpext_iter(const struct rtp *h)
{
	struct rtpext_iter it = {0};
	if (!h->has_ext)
		return it;
	/* The low four bits of the two-byte profile are the application's. */
	it.two_byte = (h->ext_profile & 0xfff0) == RTPEXT_TWO_BYTE;
	if (!it.two_byte && h->ext_profile != RTPEXT_ONE_BYTE)
		return it;
	it.p = h->ext;
	it.end = h->ext + h->ext_len;
	return it;
}

static bool stop(struct rtpext_iter *it, bool bad)
{
	it->p = it->end;
	it->bad = bad;
	return false;
}

bool rtpext_next(struct rtpext_iter *it, struct rtpext *out)
{
	while (it->p < it->end && !*it->p)
		it->p++; /* padding, which may stand between elements too */
	if (it->p == it->end)
		return false;
	uint8_t first = *it->p++;
	if (it->two_byte) {
		if (it->p == it->end)
			return stop(it, true);
		out->id = first;
		out->len = *it->p++;
	} else {
		out->id = first >> 4;
		out->len = (uint8_t)((first & 0x0f) + 1);
		/* RFC 8285 section 4.2: both end the whole extension. */
		if (out->id == 0 || out->id == 15)
			return stop(it, false);
	}
	if ((size_t)(it->end - it->p) < out->len)
		return stop(it, true);
	out->data = it->p;
	it->p += out->len;
	return true;
}

bool rtpext_find(const struct rtp *h, uint8_t id, struct rtpext *out)
{
	struct rtpext_iter it = rtpext_iter(h);
	while (rtpext_next(&it, out))
		if (out->id == id)
			return true;
	return false;
}

void rtpext_open(struct rtpext_writer *w, uint8_t *out, size_t cap,
	bool two_byte)
{
	*w = (struct rtpext_writer){
		.p = out, .cap = cap, .two_byte = two_byte};
}

/* Room for one element; its data is to be written there. */
static uint8_t *element(struct rtpext_writer *w, uint8_t id, size_t len)
{
	size_t head = w->two_byte ? 2 : 1;
	if (w->err)
		return NULL;
	if (!id || (w->two_byte ? len > 255 : id > 14 || !len || len > 16)) {
		w->err = -EINVAL;
		return NULL;
	}
	if (w->cap - w->len < head + len) {
		w->err = -ENOBUFS;
		return NULL;
	}
	uint8_t *at = w->p + w->len;
	if (w->two_byte) {
		at[0] = id;
		at[1] = (uint8_t)len;
	} else {
		at[0] = (uint8_t)(id << 4 | (len - 1));
	}
	w->len += head + len;
	return at + head;
}

void rtpext_put(struct rtpext_writer *w, uint8_t id, const void *data,
	size_t len)
{
	uint8_t *at = element(w, id, len);
	if (at && len)
		memcpy(at, data, len);
}

int rtpext_close(struct rtpext_writer *w, struct rtp *h)
{
	h->has_ext = false;
	h->ext = w->p;
	h->ext_len = 0;
	while (!w->err && w->len % 4) {
		if (w->len == w->cap)
			w->err = -ENOBUFS;
		else
			w->p[w->len++] = 0;
	}
	if (w->err || !w->len)
		return w->err;
	h->has_ext = true;
	h->ext_profile = w->two_byte ? RTPEXT_TWO_BYTE : RTPEXT_ONE_BYTE;
	h->ext_len = w->len;
	return 0;
}

int rtpext_text(const struct rtpext *e, char out[static RTPEXT_MAX_TEXT + 1])
{
	out[0] = '\0';
	if (!e->len || e->len > RTPEXT_MAX_TEXT)
		return -EBADMSG;
	for (unsigned i = 0; i < e->len; i++)
		if (e->data[i] <= 0x20 || e->data[i] >= 0x7f)
			return -EBADMSG;
	memcpy(out, e->data, e->len);
	out[e->len] = '\0';
	return 0;
}

void rtpext_put_text(struct rtpext_writer *w, uint8_t id, const char *s)
{
	rtpext_put(w, id, s, strlen(s));
}

uint32_t rtpext_abs_send_time(uint64_t now_ns)
{
	/* Whole seconds modulo 64 first: ns << 18 would overflow. */
	uint64_t s = now_ns / NS_PER_S % 64;
	uint64_t part = (now_ns % NS_PER_S << 18) / NS_PER_S;
	return (uint32_t)(s << 18 | part);
}

int rtpext_abs(const struct rtpext *e, uint32_t *out)
{
	if (e->len != 3)
		return -EBADMSG;
	*out = be24(e->data);
	return 0;
}

void rtpext_put_abs(struct rtpext_writer *w, uint8_t id, uint32_t v)
{
	uint8_t *at = element(w, id, 3);
	if (at)
		be24_put(at, v);
}

int rtpext_twcc(const struct rtpext *e, uint16_t *out)
{
	if (e->len != 2)
		return -EBADMSG;
	*out = be16(e->data);
	return 0;
}

void rtpext_put_twcc(struct rtpext_writer *w, uint8_t id, uint16_t seq)
{
	uint8_t *at = element(w, id, 2);
	if (at)
		be16_put(at, seq);
}

int rtpext_level(const struct rtpext *e, uint8_t *level, bool *voice)
{
	if (e->len != 1)
		return -EBADMSG;
	*level = e->data[0] & 0x7f;
	if (voice)
		*voice = e->data[0] >> 7;
	return 0;
}

void rtpext_put_level(struct rtpext_writer *w, uint8_t id, uint8_t level,
	bool voice)
{
	uint8_t *at = element(w, id, 1);
	if (at)
		*at = (uint8_t)((voice ? 0x80 : 0) | (level & 0x7f));
}
