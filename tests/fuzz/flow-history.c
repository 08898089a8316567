/* A history by operations of four bytes, against all that was ever put: what
 * it gives is what was put, and never more than the budget. */
#include "fuzz.h"
#include "base.h"
#include "flow.h"

static uint8_t bytes[2048];

static void check(const struct history_packet *got, uint16_t seq,
	const uint16_t *lens)
{
	CHECK(got->seq == seq && got->rtp_ts == seq * 3u);
	CHECK(got->len + 1 == lens[seq]);
	for (size_t i = 0; i < got->len; i++)
		CHECK(got->payload[i] == (uint8_t)(seq + i));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint16_t lens[65536]; /* length + 1 of what was put last */
	uint64_t now = 0, put = 0, again = 0;
	size_t max;
	struct history *h;

	if (n < 4)
		return 0;
	max = 1 + p[1] * 64u;
	memset(lens, 0, sizeof(lens));
	h = history_new(1 + p[0] % 64, max);
	CHECK(h);
	for (size_t i = 4; i + 4 <= n; i += 4) {
		uint16_t seq = (uint16_t)(65500 + p[i + 1]);
		struct history_packet in = {
			.seq = seq,
			.rtp_ts = seq * 3u,
			.payload = bytes,
			.len = p[i + 2] * 7u,
		}, got;
		int rc;

		now += (p[i] >> 3) * 10 * NS_PER_MS;
		switch (p[i] & 7) {
		case 0:
			history_clear(h);
			break;
		case 1:
		case 2:
			rc = history_resend(h, seq, p[i + 3] * NS_PER_MS, now,
				&got);
			if (rc)
				break;
			check(&got, seq, lens);
			again += got.len + 2;
			break;
		case 3:
			if (history_get(h, seq, &got))
				check(&got, seq, lens);
			break;
		default:
			for (size_t k = 0; k < in.len; k++)
				bytes[k] = (uint8_t)(seq + k);
			rc = history_put(h, &in, now);
			CHECK(rc == 0 || rc == -EALREADY || rc == -EMSGSIZE);
			if (rc)
				break;
			put += in.len;
			lens[seq] = (uint16_t)(in.len + 1);
			CHECK(history_get(h, seq, &got));
			check(&got, seq, lens);
		}
		CHECK(history_bytes(h) <= max && history_packets(h) <= 64);
		CHECK(again <= put / 10 + HISTORY_BURST_BYTES);
	}
	history_free(h);
	return 0;
}
