/* Offers and answers: real browsers' ones, ours, and those to be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "oom.h"
#include "peer_sdp_priv.h"

static const uint8_t sha256_of_ours[SHA256_BYTES] = { 0xAB, 0xCD };
static const struct ice_addr cands[] = {
	{ 4, { 192, 0, 2, 7 }, 8500 },
	{ 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 7 }, 8500 },
	{ 4, { 127, 0, 0, 1 }, 8500 },
};
static const struct self server = { .server = true, .ufrag = "Frag1234",
	.pwd = "pwdpwdpwdpwdpwdpwdpwdpwd", .sha256 = sha256_of_ours,
	.cands = cands, .n_cands = 3, .cname = "cname", .session_id = 42,
	.session_version = 1 };

/* With CRLF, however it is stored. */
static struct buf load(const char *name)
{
	struct buf b = { 0 };
	char path[128];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "tests/data/sdp/%s.sdp", name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("cannot open %s", path);
	while ((c = fgetc(f)) != EOF)
		if (c == '\n')
			buf_puts(&b, "\r\n");
		else if (c != '\r')
			buf_putc(&b, (char)c);
	fclose(f);
	return b;
}

/* Replaces the first occurrence; the test fails if there is none. */
static void replace(struct buf *b, const char *from, const char *to)
{
	struct buf out = { 0 };
	const char *s = buf_cstr(b), *at = strstr(s, from);

	if (!at)
		fail_msg("no '%s' in it", from);
	buf_put(&out, s, (size_t)(at - s));
	buf_puts(&out, to);
	buf_puts(&out, at + strlen(from));
	buf_free(b);
	*b = out;
}

static int read_offer(const struct buf *b, struct media *m, struct remote *r,
	struct buf *answer, char why[WHY_CAP])
{
	struct sdp_error e;
	struct sdp *s = sdp_parse((const char *)b->data, b->len, &e);
	int err;

	if (!s) {
		sdp_error_text(&e, why, WHY_CAP);
		return -EINVAL;
	}
	err = sdp_read_offer(m, r, s, true, why);
	if (!err && answer)
		err = sdp_write_answer(m, s, &server, answer);
	sdp_free(s);
	return err;
}

static unsigned count(const char *s, const char *what)
{
	unsigned n = 0;

	while ((s = strstr(s, what))) {
		n++;
		s += strlen(what);
	}
	return n;
}

static void assert_parses(struct buf *answer)
{
	struct sdp_error e;
	struct sdp *s = sdp_parse((const char *)answer->data, answer->len,
		&e);

	if (!s)
		fail_msg("line %u: %s\n%s", e.line, e.reason,
			buf_cstr(answer));
	sdp_free(s);
}

static void chromium_publishes(void **state)
{
	struct buf b = load("chromium-publish"), a = { 0 };
	struct media m;
	struct remote r;
	char why[WHY_CAP] = "";
	const char *t;

	(void)state;
	if (read_offer(&b, &m, &r, &a, why))
		fail_msg("%s", why);
	assert_int_equal(m.n, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(m.line[i].pub.active);
		assert_int_equal(m.line[i].pub.source, i);
		assert_int_equal(m.line[i].pt, i % 3 ? 96 : 111);
		assert_int_equal(m.line[i].rtx_pt, i % 3 ? 97 : 0);
		assert_true(m.line[i].twcc);
	}
	assert_int_equal(m.line[1].pub.n_rids, 3);
	assert_string_equal(m.line[1].pub.rids[0], "q");
	assert_int_equal(m.line[1].ssrc[0], 0);
	assert_int_equal(m.line[2].ssrc[0], 381414035);
	assert_int_equal(m.line[2].rtx_ssrc[0], 2630274340);
	assert_int_equal(m.line[0].ssrc[0], 103959842);
	assert_int_equal(m.ext[EXT_MID], 4);
	assert_int_equal(m.ext[EXT_RID], 10);
	assert_true(m.rsize);
	assert_string_equal(r.ufrag, "cHrM");
	assert_int_equal(r.n_sha256, 1);
	assert_int_equal(r.sha256[0][31], 0xDA);
	assert_int_equal(r.n_cands, 2);

	assert_parses(&a);
	t = buf_cstr(&a);
	assert_non_null(strstr(t, "a=group:BUNDLE 0 1 2 3\r\n"));
	assert_non_null(strstr(t, "a=ice-lite\r\n"));
	assert_int_equal(count(t, "a=setup:passive\r\n"), 4);
	assert_int_equal(count(t, "a=recvonly\r\n"), 4);
	assert_int_equal(count(t, "a=rtcp-mux\r\n"), 4);
	assert_int_equal(count(t, "a=fingerprint:sha-256 AB:CD:00:"), 4);
	assert_non_null(strstr(t, "m=audio 8500 UDP/TLS/RTP/SAVPF 111\r\n"
		"c=IN IP4 192.0.2.7\r\n"));
	assert_non_null(strstr(t, "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"));
	assert_int_equal(count(t, "a=candidate:"), 3);
	assert_non_null(strstr(t, " 2001:db8::7 8500 typ host\r\n"));
	assert_int_equal(count(t, "a=end-of-candidates\r\n"), 1);
	assert_non_null(strstr(t, "a=rid:q recv\r\na=rid:h recv\r\n"
		"a=rid:f recv\r\na=simulcast:recv q;h;f\r\n"));
	assert_int_equal(count(t, "a=rtcp-fb:96 nack pli\r\n"), 2);
	assert_int_equal(count(t, "a=rtcp-fb:111 transport-cc\r\n"), 2);
	assert_int_equal(count(t, "a=rtcp-fb:111 nack"), 0);
	assert_null(strstr(t, "orientation"));
	assert_null(strstr(t, "ssrc:"));
	buf_free(&b);
	buf_free(&a);
}

static void firefox_publishes(void **state)
{
	struct buf b = load("firefox-publish"), a = { 0 };
	struct media m;
	struct remote r;
	char why[WHY_CAP] = "";
	const char *t;

	(void)state;
	if (read_offer(&b, &m, &r, &a, why))
		fail_msg("%s", why);
	assert_int_equal(m.n, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(m.line[i].pub.active);
		assert_int_equal(m.line[i].pt, i % 3 ? 120 : 109);
	}
	assert_int_equal(m.line[1].rtx_pt, 124);
	assert_int_equal(m.line[1].pub.n_rids, 3);
	assert_false(m.line[0].ext[EXT_ABS]); /* offered for video only */
	assert_string_equal(r.ufrag, "0f1ref0x");
	/* UDP of component 1 only */
	assert_int_equal(r.n_cands, 4);
	assert_parses(&a);
	t = buf_cstr(&a);
	assert_int_equal(count(t, "a=extmap:9/recvonly "
		"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"), 2);
	assert_non_null(strstr(t, "m=audio 8500 UDP/TLS/RTP/SAVPF 109\r\n"));
	buf_free(&b);
	buf_free(&a);
}

static void data_channels_are_refused_line_by_line(void **state)
{
	static const char *const names[] = { "chromium-data",
		"firefox-data" };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct buf b = load(names[i]), a = { 0 };
		struct media m;
		struct remote r;
		char why[WHY_CAP] = "";
		const char *t;

		if (read_offer(&b, &m, &r, &a, why))
			fail_msg("%s: %s", names[i], why);
		assert_parses(&a);
		t = buf_cstr(&a);
		assert_non_null(strstr(t, "m=application 0 "
			"UDP/DTLS/SCTP webrtc-datachannel\r\n"));
		buf_free(&b);
		buf_free(&a);
	}
}

static struct media offer_of(const enum peer_source *sources, unsigned n)
{
	struct media m = { .n = n };

	for (unsigned i = 0; i < n; i++) {
		struct line *l = &m.line[i];

		l->pub.source = sources[i];
		l->pub.video = sources[i] == PEER_CAM ||
			sources[i] == PEER_SCREEN;
		l->pub.ours = true;
		snprintf(l->pub.mid, sizeof(l->pub.mid), "%u", i);
		l->ext[EXT_MID] = 1;
		l->ext[EXT_ABS] = 2;
		l->ext[EXT_TWCC] = 3;
		l->ssrc[0] = 1000 + i;
		l->rtx_ssrc[0] = l->pub.video ? 2000 + i : 0;
	}
	return m;
}

/* A Chromium answers four lines of ours, as recorded. */
static void chromium_answers(void **state)
{
	static const enum peer_source sources[] = { PEER_MIC, PEER_CAM,
		PEER_SCREEN, PEER_SCREEN_AUDIO };
	struct buf b = load("chromium-answer");
	struct media m = offer_of(sources, 4);
	struct sdp_error e;
	struct sdp *s = sdp_parse((char *)b.data, b.len, &e);
	struct remote r;
	char why[WHY_CAP] = "";

	(void)state;
	assert_non_null(s);
	if (sdp_read_answer(&m, &r, s, true, why))
		fail_msg("%s", why);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(m.line[i].pub.active);
		assert_int_equal(m.line[i].ssrc[0], 1000 + i);
		assert_int_equal(m.line[i].ext[EXT_TWCC], 3);
	}
	assert_int_equal(m.line[1].pt, 96);
	assert_int_equal(m.line[1].rtx_pt, 97);
	assert_true(m.line[1].nack);
	assert_false(m.line[0].nack);
	/* an answer to another offer */
	m = offer_of(sources, 3);
	assert_int_equal(sdp_read_answer(&m, &r, s, true, why), -EINVAL);
	m = offer_of((enum peer_source[]){ PEER_CAM, PEER_MIC, PEER_CAM,
		PEER_CAM }, 4);
	assert_int_equal(sdp_read_answer(&m, &r, s, true, why), -EINVAL);
	/* the client as DTLS server is not for us */
	m = offer_of(sources, 4);
	assert_int_equal(sdp_read_answer(&m, &r, s, false, why), -ENOTSUP);
	assert_string_equal(why, "a=setup must be passive");
	sdp_free(s);
	buf_free(&b);
}

static void what_cannot_be_served_is_refused(void **state)
{
	static const struct {
		const char *from;
		const char *to;
		int err;
		const char *why;
	} t[] = {
		{ "a=group:BUNDLE 0 1 2 3\r\n", "", -ENOTSUP,
			"no BUNDLE group" },
		{ "a=group:BUNDLE 0 1 2 3", "a=group:BUNDLE 0 1 2", -ENOTSUP,
			"m-line 3 is not in BUNDLE" },
		{ "a=rtcp-mux\r\n", "", -ENOTSUP, "no a=rtcp-mux" },
		{ "a=setup:actpass", "a=setup:passive", -ENOTSUP,
			"a=setup must be actpass or active" },
		{ "a=ice-ufrag:cHrM\r\n", "", -ENOTSUP,
			"no ICE credentials" },
		{ "s=-\r\n", "s=-\r\na=ice-lite\r\n", -ENOTSUP, NULL },
		{ "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
			"a=extmap:7 urn:ietf:params:rtp-hdrext:sdes:mid",
			-EINVAL, "urn:ietf:params:rtp-hdrext:sdes:mid has "
			"two extension ids" },
		{ "a=ssrc:103959842 cname", "a=ssrc:381414035 cname",
			-EINVAL, "two m-lines claim one SSRC" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
		struct buf b = load("chromium-publish");
		struct media m;
		struct remote r;
		char why[WHY_CAP] = "";

		replace(&b, t[i].from, t[i].to);
		assert_int_equal(read_offer(&b, &m, &r, NULL, why), t[i].err);
		if (t[i].why)
			assert_string_equal(why, t[i].why);
		buf_free(&b);
	}
}

static const char head[] =
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
	"a=fingerprint:sha-256 01:08:0F:16:1D:24:2B:32:39:40:47:4E:55:5C:63:"
	"6A:71:78:7F:86:8D:94:9B:A2:A9:B0:B7:BE:C5:CC:D3:DA\r\n"
	"a=setup:active\r\n";

static void small_offers_are_enough(void **state)
{
	struct buf b = { 0 }, a = { 0 };
	struct media m;
	struct remote r;
	char why[WHY_CAP] = "";

	(void)state;
	/* one m-line needs no BUNDLE; no feedback, no extension at all */
	buf_puts(&b, head);
	buf_puts(&b, "m=video 9 UDP/TLS/RTP/SAVPF 100\r\n"
		"c=IN IP4 0.0.0.0\r\na=mid:v\r\na=sendonly\r\na=rtcp-mux\r\n"
		"a=rtpmap:100 VP8/90000\r\n");
	if (read_offer(&b, &m, &r, &a, why))
		fail_msg("%s", why);
	assert_int_equal(m.line[0].pub.source, PEER_CAM);
	assert_false(m.line[0].nack || m.line[0].rtx_pt || m.line[0].twcc);
	assert_false(m.rsize);
	assert_null(strstr(buf_cstr(&a), "rtx"));
	assert_null(strstr(buf_cstr(&a), "extmap:"));
	/* Opus only in mono, H.264 only: nothing for us */
	buf_clear(&b);
	buf_puts(&b, head);
	buf_puts(&b, "m=video 9 UDP/TLS/RTP/SAVPF 100\r\n"
		"c=IN IP4 0.0.0.0\r\na=mid:v\r\na=sendonly\r\na=rtcp-mux\r\n"
		"a=rtpmap:100 H264/90000\r\n");
	assert_int_equal(read_offer(&b, &m, &r, &a, why), -ENOTSUP);
	/* a weak hash alone */
	buf_clear(&b);
	buf_puts(&b, head);
	replace(&b, "sha-256 01:08:0F:16:1D:24:2B:32:39:40:47:4E:55:5C:63:"
		"6A:71:78:7F:86:8D:94:9B:A2:A9:B0:B7:BE:C5:CC:D3:DA",
		"sha-1 01:08:0F:16:1D:24:2B:32:39:40:47:4E:55:5C:63:"
		"6A:71:78:7F:86");
	buf_puts(&b, "m=video 9 UDP/TLS/RTP/SAVPF 100\r\n"
		"c=IN IP4 0.0.0.0\r\na=mid:v\r\na=sendonly\r\na=rtcp-mux\r\n"
		"a=rtpmap:100 VP8/90000\r\n");
	assert_int_equal(read_offer(&b, &m, &r, &a, why), -ENOTSUP);
	assert_string_equal(why, "no sha-256 fingerprint");
	buf_free(&b);
	buf_free(&a);
}

static void surplus_lines_are_refused(void **state)
{
	struct buf b = { 0 }, a = { 0 };
	struct media m;
	struct remote r;
	char why[WHY_CAP] = "";

	(void)state;
	buf_puts(&b, head);
	buf_puts(&b, "a=group:BUNDLE 0 1 2\r\n");
	for (unsigned i = 0; i < 3; i++)
		buf_printf(&b, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
			"c=IN IP4 0.0.0.0\r\na=mid:%u\r\na=sendonly\r\n"
			"a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n", i);
	if (read_offer(&b, &m, &r, &a, why))
		fail_msg("%s", why);
	assert_int_equal(m.line[0].pub.source, PEER_MIC);
	assert_int_equal(m.line[1].pub.source, PEER_SCREEN_AUDIO);
	assert_false(m.line[2].pub.active);
	assert_non_null(strstr(buf_cstr(&a), "a=group:BUNDLE 0 1\r\n"));
	assert_non_null(strstr(buf_cstr(&a),
		"m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n"));
	buf_free(&b);
	buf_free(&a);
}

static void our_offer_is_what_it_should_be(void **state)
{
	static const enum peer_source sources[] = { PEER_MIC, PEER_CAM,
		PEER_CAM };
	struct media m = offer_of(sources, 3);
	struct buf b = { 0 };
	const char *t;

	(void)state;
	m.line[0].ext[EXT_LEVEL] = 4;
	assert_int_equal(sdp_write_offer(&m, &server, &b), 0);
	assert_parses(&b);
	t = buf_cstr(&b);
	assert_true(str_starts(t, "v=0\r\no=- 42 1 IN IP4 127.0.0.1\r\n"
		"s=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\na=ice-lite\r\n"
		"m=audio 8500 UDP/TLS/RTP/SAVPF 111\r\n"));
	assert_non_null(strstr(t, "a=extmap:4 "
		"urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"));
	assert_non_null(strstr(t, "a=msid:person-1 track-2\r\n"));
	assert_non_null(strstr(t, "a=ssrc-group:FID 1002 2002\r\n"
		"a=ssrc:1002 cname:cname\r\na=ssrc:2002 cname:cname\r\n"));
	assert_non_null(strstr(t, "a=rtpmap:97 rtx/90000\r\n"
		"a=fmtp:97 apt=96\r\n"));
	assert_int_equal(count(t, "a=setup:actpass\r\n"), 3);
	assert_int_equal(count(t, "a=sendonly\r\n"), 3);
	buf_free(&b);
}

static int answer_once(void *arg)
{
	struct buf *offer = arg, a = { 0 };
	struct sdp_error e;
	struct sdp *s = sdp_parse((char *)offer->data, offer->len, &e);
	struct media m;
	struct remote r;
	char why[WHY_CAP];
	int err = s ? sdp_read_offer(&m, &r, s, true, why) : -ENOMEM;

	if (!err)
		err = sdp_write_answer(&m, s, &server, &a);
	sdp_free(s);
	buf_free(&a);
	return err;
}

static void answering_survives_a_lack_of_memory(void **state)
{
	struct buf b = load("chromium-publish");

	(void)state;
	assert_true(oom_ladder(answer_once, &b) > 5);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chromium_publishes),
		cmocka_unit_test(firefox_publishes),
		cmocka_unit_test(data_channels_are_refused_line_by_line),
		cmocka_unit_test(chromium_answers),
		cmocka_unit_test(what_cannot_be_served_is_refused),
		cmocka_unit_test(small_offers_are_enough),
		cmocka_unit_test(surplus_lines_are_refused),
		cmocka_unit_test(our_offer_is_what_it_should_be),
		cmocka_unit_test(answering_survives_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
