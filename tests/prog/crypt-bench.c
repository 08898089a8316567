/* What SRTP costs: each engine and suite, packets of speech and of video,
 * 200 keys in turn as a relay has them. Prints ENGINE TAB SUITE TAB BYTES TAB
 * ns of CPU to protect TAB ns to unprotect. */
#include <stdio.h>
#include <time.h>

#include "base.h"
#include "srtp.h"

#define LINKS   200
#define PACKETS 100 /* of each link */
#define CAP     1500

static const struct {
	const char *name;
	const struct srtp_engine *engine;
} engines[] = {{"evp", &srtp_engine_evp}, {"libsrtp2", &srtp_engine_libsrtp}};

static const struct {
	const char *name;
	enum srtp_suite suite;
} suites[] = {{"gcm128", SRTP_SUITE_GCM_128},
	{"cm-sha1", SRTP_SUITE_CM_SHA1_80}};

static _Alignas(4) uint8_t packets[LINKS * PACKETS][CAP];

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void open_links(struct srtp_link *l[LINKS],
	const struct srtp_engine *e, enum srtp_suite suite, bool mirrored)
{
	for (unsigned i = 0; i < LINKS; i++) {
		struct srtp_keys k = {.suite = suite};

		(mirrored ? &k.rx : &k.tx)->key[0] = (uint8_t)i;
		l[i] = srtp_link_new(e, &k);
		if (!l[i])
			exit(3);
	}
}

static void close_links(struct srtp_link *l[LINKS])
{
	for (unsigned i = 0; i < LINKS; i++)
		srtp_link_free(l[i]);
}

static void fill(size_t n)
{
	for (unsigned i = 0; i < LINKS * PACKETS; i++) {
		uint8_t *p = packets[i];

		memset(p, (int)i, n);
		p[0] = 0x80;
		p[1] = 96;
		be16_put(p + 2, (uint16_t)(i / LINKS));
		be32_put(p + 8, 1);
	}
}

int main(void)
{
	static const size_t sizes[] = {160, 1200};
	struct srtp_link *tx[LINKS], *rx[LINKS];

	for (size_t c = 0; c < 8; c++) {
		size_t n = sizes[c % 2], len[LINKS] = {0};
		double begun, sealed, opened;

		open_links(tx, engines[c / 4].engine, suites[c / 2 % 2].suite,
			false);
		open_links(rx, engines[c / 4].engine, suites[c / 2 % 2].suite,
			true);
		fill(n);
		begun = cpu_ns();
		for (unsigned i = 0; i < LINKS * PACKETS; i++) {
			len[i % LINKS] = n;
			if (srtp_link_protect_rtp(tx[i % LINKS], packets[i],
				&len[i % LINKS], CAP))
				return 3;
		}
		sealed = cpu_ns();
		for (unsigned i = 0; i < LINKS * PACKETS; i++) {
			size_t m = len[i % LINKS];

			if (srtp_link_unprotect_rtp(rx[i % LINKS], packets[i],
				&m))
				return 3;
		}
		opened = cpu_ns();
		printf("%s\t%s\t%zu\t%.0f\t%.0f\n", engines[c / 4].name,
			suites[c / 2 % 2].name, n,
			(sealed - begun) / (LINKS * PACKETS),
			(opened - sealed) / (LINKS * PACKETS));
		close_links(tx);
		close_links(rx);
	}
	return 0;
}
