/* A stream of VP8 frames of 1 to 5 packets, sent through a network that the
 * input rules: each two bytes are one act. Whatever it does, frames come out
 * whole, in order, once, and a frame says that packets were lost before it
 * whenever a frame is missing. */
#include "flow.h"

#include "base.h"
#include "fuzz.h"

#define PACKETS 4096u

static unsigned packets_of(unsigned frame)
{
	return 1 + frame * 7 % 5;
}

/* Which frame the packet is of, and which of its packets. */
static unsigned frame_of(unsigned packet, unsigned *nth)
{
	unsigned frame = 0;

	while (packet >= packets_of(frame))
		packet -= packets_of(frame++);
	*nth = packet;
	return frame;
}

static int send_one(struct frames *f, unsigned packet, uint64_t now)
{
	unsigned nth, frame = frame_of(packet, &nth);
	uint8_t payload[5] = {nth ? 0x00 : 0x10, 0x11, (uint8_t)frame,
		(uint8_t)(frame >> 8), (uint8_t)nth};
	struct frames_packet k = {.seq = (uint16_t)(65000 + packet),
		.rtp_ts = frame * 3000, .marker = nth + 1 == packets_of(frame),
		.payload = payload, .len = sizeof(payload), .arrival_ns = now};

	return frames_put(f, &k);
}

static void drain(struct frames *f, uint64_t now, int *last)
{
	struct frame got;

	while (frames_next(f, now, &got)) {
		unsigned frame = got.rtp_ts / 3000, n = packets_of(frame);

		CHECK((int)frame > *last);
		CHECK((int)frame == *last + 1 || got.lost || *last < 0);
		CHECK(got.len == n * 4);
		for (unsigned i = 0; i < n; i++) {
			CHECK(got.data[4 * i] == 0x11);
			CHECK(got.data[4 * i + 1] == (uint8_t)frame);
			CHECK(got.data[4 * i + 2] == (uint8_t)(frame >> 8));
			CHECK(got.data[4 * i + 3] == i);
		}
		*last = (int)frame;
	}
	CHECK(frames_deadline(f) > now);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct frames *f = frames_new(FRAMES_VP8, 100 * NS_PER_MS);
	uint16_t missing[8];
	unsigned next = 0;
	uint64_t now = 0;
	int last = -1;

	for (size_t i = 0; i + 1 < n && next < PACKETS; i += 2) {
		unsigned arg = p[i + 1], max;

		switch (p[i] % 6) {
		case 0: /* as they come */
			for (unsigned k = 0; k <= arg % 16; k++)
				send_one(f, next++, now);
			break;
		case 1: /* lost */
			next += arg % 64;
			break;
		case 2: /* late, or once more */
			if (arg < next)
				send_one(f, next - 1 - arg, now);
			break;
		case 3: /* early */
			send_one(f, next + arg, now);
			break;
		case 4:
			now += arg * NS_PER_MS;
			break;
		default:
			frames_skip(f);
			break;
		}
		drain(f, now, &last);
		max = frames_missing(f, missing, 8);
		CHECK(max <= 8);
	}
	frames_free(f);
	return 0;
}
