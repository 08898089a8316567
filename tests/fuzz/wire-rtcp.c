/* Control packets: every reader on every packet, and what they say, written
 * and read once more. */
#include "wire.h"

#include "base.h"
#include "fuzz.h"

/* The only packet in b. */
static struct rtcp only(const struct buf *b)
{
	struct rtcp r, end;
	struct rtcp_iter it = rtcp_iter(b->data, b->len);
	CHECK(!b->err && b->len % 4 == 0);
	CHECK(rtcp_next(&it, &r) == 1 && rtcp_next(&it, &end) == 0);
	return r;
}

static void reports(const struct rtcp *r)
{
	struct rtcp_block blocks[RTCP_MAX_BLOCKS], b;
	struct rtcp_sr sr;
	struct buf out = {0};
	size_t n = 0;
	uint32_t ssrc;
	while (n < RTCP_MAX_BLOCKS && !rtcp_block(r, (unsigned)n, &blocks[n]))
		n++;
	if (!rtcp_sr(r, &sr))
		CHECK(!rtcp_write_sr(&out, &sr, blocks, n));
	else if (!rtcp_rr(r, &ssrc))
		CHECK(!rtcp_write_rr(&out, ssrc, blocks, n));
	else
		return;
	/* Alike to the byte, but for what stood behind the last block. */
	struct rtcp again = only(&out);
	CHECK(again.count == n && again.len <= r->len);
	CHECK(!memcmp(again.body, r->body, again.len));
	CHECK(rtcp_block(&again, (unsigned)n, &b) == -ENOENT);
	buf_free(&out);
}

static void names(const struct rtcp *r)
{
	const char *cname, *got;
	size_t len, got_len;
	uint32_t ssrc, got_ssrc;
	struct buf out = {0};
	for (unsigned i = 0; i < 32; i++) {
		char text[256];
		rtcp_bye(r, i, &ssrc);
		if (rtcp_cname(r, i, &ssrc, &cname, &len))
			continue;
		touch(cname, len);
		memcpy(text, cname, len);
		text[len] = '\0';
		if (!len || strlen(text) != len)
			continue;
		buf_clear(&out);
		CHECK(!rtcp_write_sdes(&out, ssrc, text));
		struct rtcp again = only(&out);
		CHECK(!rtcp_cname(&again, 0, &got_ssrc, &got, &got_len));
		CHECK(got_ssrc == ssrc && got_len == len);
		CHECK(!memcmp(got, text, len));
	}
	buf_free(&out);
}

static int by_seq(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static size_t sorted(uint16_t *seqs, size_t n)
{
	size_t k = 0;
	qsort(seqs, n, sizeof(*seqs), by_seq);
	for (size_t i = 0; i < n; i++)
		if (!k || seqs[k - 1] != seqs[i])
			seqs[k++] = seqs[i];
	return k;
}

static void nacks(const struct rtcp_fb *fb)
{
	uint16_t a[RTCP_MAX_NACKS], b[17 * RTCP_MAX_NACKS];
	struct buf out = {0};
	struct rtcp_fb again;
	size_t n = rtcp_nack(fb, a, ARRAY_LEN(a));
	CHECK(n <= ARRAY_LEN(a));
	if (!n)
		return;
	CHECK(!rtcp_write_nack(&out, fb->sender, fb->media, a, n));
	struct rtcp r = only(&out);
	CHECK(!rtcp_fb(&r, &again));
	size_t m = rtcp_nack(&again, b, ARRAY_LEN(b));
	n = sorted(a, n);
	CHECK(sorted(b, m) == n && !memcmp(a, b, n * sizeof(*a)));
	buf_free(&out);
}

static void twcc(const struct rtcp_fb *fb)
{
	static int64_t at[RTCP_TWCC_MAX_PACKETS];
	struct rtcp_twcc t;
	struct rtcp_twcc_status s;
	struct rtcp_fb again;
	struct buf out = {0};
	size_t n = 0, taken;
	if (rtcp_twcc(fb, &t))
		return;
	uint16_t base = t.base_seq;
	bool outside = false; /* what the 24 bits of a reference can say */
	for (; rtcp_twcc_next(&t, &s); n++) {
		CHECK(s.seq == (uint16_t)(base + n));
		at[n] = s.received ? s.at_us : -1;
		outside |= s.received &&
			(s.at_us < 0 || s.at_us >= INT64_C(64000) << 23);
	}
	CHECK(n == t.count);
	if (outside || rtcp_write_twcc(&out, 1, 2, 3, base, at, n, &taken))
		return;
	CHECK(taken && taken <= n);
	struct rtcp r = only(&out);
	CHECK(!rtcp_fb(&r, &again) && !rtcp_twcc(&again, &t));
	CHECK(t.count == taken && t.fb_count == 3);
	for (n = 0; rtcp_twcc_next(&t, &s); n++) {
		CHECK(s.received == (at[n] >= 0));
		CHECK(!s.received || s.at_us == at[n]);
	}
	buf_free(&out);
}

static void feedback(const struct rtcp *r)
{
	struct rtcp_fb fb;
	uint32_t ssrc;
	uint8_t seq;
	if (rtcp_fb(r, &fb))
		return;
	touch(fb.fci, fb.len);
	for (unsigned i = 0; !rtcp_fir(&fb, i, &ssrc, &seq); i++)
		;
	nacks(&fb);
	twcc(&fb);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rtcp_iter it = rtcp_iter(p, n);
	struct rtcp r;
	while (rtcp_next(&it, &r) == 1) {
		touch(r.body, r.len);
		reports(&r);
		names(&r);
		feedback(&r);
	}
	CHECK(rtcp_next(&it, &r) == 0);
	return 0;
}
