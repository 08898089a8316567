/* Session descriptions: browsers' offers, our own, malformed ones. */
#include "wire.h"

#include "base.h"
#include "hex.h"
#include "oom.h"

/* The least that is legal, and m-lines to go with it. */
#define TOP   "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
#define VIDEO "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"

static char *load(const char *name, size_t *n)
{
	char path[128];
	snprintf(path, sizeof(path), "tests/data/sdp/%s.sdp", name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *p = malloc(SDP_MAX_BYTES);
	*n = fread(p, 1, SDP_MAX_BYTES, f);
	fclose(f);
	return p;
}

static struct sdp *parse(const char *text)
{
	struct sdp_error e;
	struct sdp *s = sdp_parse(text, strlen(text), &e);
	if (!s)
		fail_msg("line %u: %s", e.line, e.reason);
	return s;
}

static struct sdp *load_sdp(const char *name)
{
	struct sdp_error e;
	size_t n;
	char *p = load(name, &n);
	struct sdp *s = sdp_parse(p, n, &e);
	if (!s)
		fail_msg("%s: line %u: %s", name, e.line, e.reason);
	free(p);
	return s;
}

static void chromium_publish(void **state)
{
	struct sdp *s = load_sdp("chromium-publish");
	const struct sdp_fingerprint *f;
	size_t n;
	(void)state;
	assert_int_equal(s->session_id, 4611686018427387905);
	assert_int_equal(s->media_count, 4);
	assert_false(s->ice_lite);
	assert_true(s->extmap_allow_mixed);
	const struct sdp_media *mic = &s->media[0], *cam = &s->media[1];
	assert_int_equal(mic->kind, SDP_AUDIO);
	assert_int_equal(cam->kind, SDP_VIDEO);
	assert_int_equal(s->media[3].kind, SDP_AUDIO);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(s->media[i].dir, SDP_SENDONLY);
		assert_true(s->media[i].rtcp_mux);
		assert_true(s->media[i].rtcp_rsize);
		assert_true(sdp_is_bundled(s, &s->media[i]));
	}
	assert_string_equal(mic->mid, "0");
	assert_ptr_equal(sdp_media_by_mid(s, "1"), cam);
	assert_null(sdp_media_by_mid(s, "4"));
	assert_string_equal(sdp_ufrag(s, cam), "cHrM");
	assert_string_equal(sdp_pwd(s, cam), "thisisnotapassword012345");
	assert_int_equal(sdp_setup(s, cam), SDP_ACTPASS);
	f = sdp_fingerprints(s, cam, &n);
	assert_int_equal(n, 1);
	assert_string_equal(f->hash, "sha-256");
	assert_int_equal(f->len, 32);
	assert_bytes(f->bytes, 4, "01 08 0f 16");
	sdp_free(s);
}

static void chromium_codecs(void **state)
{
	struct sdp *s = load_sdp("chromium-publish");
	const struct sdp_media *mic = &s->media[0], *cam = &s->media[1];
	(void)state;
	const struct sdp_codec *opus = sdp_codec_by_name(mic, "OPUS", 48000, 2);
	assert_non_null(opus);
	assert_int_equal(opus->pt, 111);
	assert_true(sdp_has_feedback(opus, "transport-cc"));
	assert_string_equal(opus->fmtp, "minptime=10;useinbandfec=1");
	assert_null(sdp_codec_by_name(mic, "opus", 48000, 1));
	const struct sdp_codec *vp8 = sdp_codec_by_name(cam, "VP8", 90000, 0);
	assert_int_equal(vp8->pt, 96);
	assert_int_equal(vp8->feedback_count, 5);
	assert_true(sdp_has_feedback(vp8, "nack pli"));
	assert_int_equal(sdp_rtx_of(cam, 96)->pt, 97);
	assert_null(sdp_rtx_of(cam, 97));
	assert_null(sdp_codec_by_pt(cam, 111));
	assert_int_equal(cam->rid_count, 3);
	assert_string_equal(cam->rids[1].id, "h");
	assert_false(cam->rids[1].recv);
	assert_string_equal(cam->simulcast_send, "~q;h;~f");
	assert_null(cam->simulcast_recv);
	assert_int_equal(sdp_extmap_id(s, cam, RTPEXT_URI_RID), 10);
	assert_int_equal(sdp_extmap_id(s, cam, RTPEXT_URI_REPAIRED), 11);
	assert_int_equal(sdp_extmap_id(s, cam, RTPEXT_URI_MID), 4);
	assert_int_equal(sdp_extmap_id(s, mic, RTPEXT_URI_LEVEL), 1);
	assert_int_equal(sdp_extmap_id(s, mic, RTPEXT_URI_RID), 0);
	assert_int_equal(sdp_extmap_id(s, mic, RTPEXT_URI_TRANSPORT_CC), 3);
	assert_int_equal(sdp_extmap_id(s, mic, RTPEXT_URI_ABS_SEND_TIME), 2);
	assert_int_equal(mic->candidate_count, 2);
	const struct sdp_candidate *c = &mic->candidates[0];
	assert_string_equal(c->address, "192.0.2.2");
	assert_int_equal(c->port, 49511);
	assert_int_equal(c->priority, 2113937151);
	assert_int_equal(c->type, SDP_HOST);
	assert_int_equal(c->tcptype, SDP_UDP);
	assert_string_equal(mic->msids[0].stream, "-");
	assert_string_equal(mic->msids[0].track,
		"00000000-0000-4000-8000-000000000001");
	assert_string_equal(mic->ssrcs[0].key, "cname");
	sdp_free(s);
}

static void firefox_publish(void **state)
{
	struct sdp *s = load_sdp("firefox-publish");
	size_t n;
	(void)state;
	assert_int_equal(s->media_count, 4);
	const struct sdp_media *mic = &s->media[0], *cam = &s->media[1];
	/* Its fingerprint stands in the session, and bundled m-lines are 0. */
	assert_int_equal(cam->port, 0);
	assert_true(cam->bundle_only);
	assert_int_equal(cam->own.fingerprint_count, 0);
	sdp_fingerprints(s, cam, &n);
	assert_int_equal(n, 1);
	assert_int_equal(cam->dir, SDP_SENDONLY);
	assert_int_equal(sdp_codec_by_name(cam, "VP8", 90000, 0)->pt, 120);
	assert_int_equal(sdp_rtx_of(cam, 120)->pt, 124);
	assert_string_equal(cam->simulcast_send, "q;h;f");
	assert_int_equal(mic->candidate_count, 16);
	assert_int_equal(mic->candidates[4].tcptype, SDP_TCP_ACTIVE);
	assert_true(mic->end_of_candidates);
	assert_int_equal(mic->own.extmaps[1].dir, SDP_RECVONLY);
	assert_int_equal(mic->own.extmaps[0].dir, -1);
	sdp_free(s);
}

static void data_channels(void **state)
{
	static const char *const names[] = {"chromium-data", "firefox-data"};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct sdp *s = load_sdp(names[i]);
		const struct sdp_media *m = NULL;
		for (size_t k = 0; k < s->media_count; k++)
			if (s->media[k].kind == SDP_APPLICATION)
				m = &s->media[k];
		assert_non_null(m);
		assert_string_equal(m->protocol, "UDP/DTLS/SCTP");
		assert_string_equal(m->formats, "webrtc-datachannel");
		assert_int_equal(m->codec_count, 0);
		sdp_free(s);
	}
}

/* What was read, printed and read again prints the same. */
static void round_trips(void **state)
{
	static const char *const names[] = {"chromium-publish",
		"chromium-answer", "chromium-data", "firefox-publish",
		"firefox-data"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf one = {0}, two = {0};
		struct sdp *s = load_sdp(names[i]);
		assert_int_equal(sdp_print(s, &one), 0);
		sdp_free(s);
		s = parse(buf_cstr(&one));
		assert_int_equal(sdp_print(s, &two), 0);
		sdp_free(s);
		assert_string_equal(buf_cstr(&one), buf_cstr(&two));
		buf_free(&one);
		buf_free(&two);
	}
}

/* Every line that we print, by eye. */
static const char everything[] =
	"v=0\r\n"
	"o=- 7 2 IN IP4 127.0.0.1\r\n"
	"s=-\r\n"
	"t=0 0\r\n"
	"a=group:BUNDLE a v\r\n"
	"a=extmap-allow-mixed\r\n"
	"a=ice-lite\r\n"
	"a=ice-ufrag:abcd\r\n"
	"a=ice-pwd:0123456789012345678901\r\n"
	"a=ice-options:trickle\r\n"
	"a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:"
	"0F:10:11:12:13\r\n"
	"a=setup:passive\r\n"
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
	"c=IN IP4 0.0.0.0\r\n"
	"a=extmap:1/sendonly urn:x some params\r\n"
	"a=mid:a\r\n"
	"a=recvonly\r\n"
	"a=rtcp-mux\r\n"
	"a=rtpmap:111 opus/48000/2\r\n"
	"a=rtcp-fb:111 transport-cc\r\n"
	"a=fmtp:111 minptime=10;useinbandfec=1\r\n"
	"a=candidate:1 1 udp 2113937151 192.0.2.1 8500 typ host\r\n"
	"a=candidate:2 1 tcp 1 2001:db8::1 8500 typ srflx raddr 10.0.0.1 "
	"rport 9 tcptype passive\r\n"
	"a=end-of-candidates\r\n"
	"m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\n"
	"c=IN IP6 ::1\r\n"
	"a=setup:holdconn\r\n"
	"a=mid:v\r\n"
	"a=inactive\r\n"
	"a=msid:s t\r\n"
	"a=msid:-\r\n"
	"a=rtcp-mux\r\n"
	"a=rtcp-rsize\r\n"
	"a=bundle-only\r\n"
	"a=rtpmap:96 VP8/90000\r\n"
	"a=rtcp-fb:96 nack\r\n"
	"a=rtcp-fb:96 nack pli\r\n"
	"a=rtpmap:97 rtx/90000\r\n"
	"a=fmtp:97 apt=96\r\n"
	"a=rid:q send\r\n"
	"a=rid:h recv pt=96;max-width=1280\r\n"
	"a=simulcast:send q recv h,~q\r\n"
	"a=ssrc-group:FID 1 4294967295\r\n"
	"a=ssrc:1 cname:x\r\n"
	"a=ssrc:1 msid:a b\r\n"
	"a=ssrc:2 flag\r\n"
	"m=message 1 TCP/MSRP * x\r\n"
	"c=IN IP4 0.0.0.0\r\n"
	"a=sendrecv\r\n";

static void printed_by_eye(void **state)
{
	struct buf out = {0};
	struct sdp *s = parse(everything);
	(void)state;
	assert_int_equal(sdp_print(s, &out), 0);
	assert_string_equal(buf_cstr(&out), everything);
	assert_int_equal(s->media[1].ssrc_groups[0].ssrcs[1], UINT32_MAX);
	assert_int_equal(s->media[2].kind, SDP_OTHER);
	sdp_free(s);
	buf_free(&out);
}

static void built(void **state)
{
	static const uint8_t hash[2] = {0xab, 0xcd};
	struct buf out = {0};
	struct sdp *s = sdp_new();
	(void)state;
	s->session_id = 1;
	s->ice_lite = true;
	s->own.ufrag = "abcd";
	s->own.setup = SDP_ACTPASS;
	assert_int_equal(sdp_add_fingerprint(s, &s->own, "sha-x", hash, 2), 0);
	struct sdp_group *g = sdp_add_group(s, "BUNDLE");
	for (unsigned i = 0; i < 2; i++) {
		struct sdp_media *m = sdp_add_media(s);
		m->kind = SDP_VIDEO;
		m->port = 9;
		m->protocol = "UDP/TLS/RTP/SAVPF";
		m->mid = sdp_text(s, "%u", i);
		assert_int_equal(sdp_add_group_mid(s, g, m->mid), 0);
		struct sdp_codec *c = sdp_add_codec(s, m);
		c->pt = 96;
		c->name = "VP8";
		c->clock_hz = 90000;
		assert_int_equal(sdp_add_feedback(s, c, "nack"), 0);
		struct sdp_extmap *x = sdp_add_extmap(s, &m->own);
		x->id = 1;
		x->uri = RTPEXT_URI_MID;
	}
	assert_ptr_equal(sdp_media_by_mid(s, "1"), &s->media[1]);
	assert_int_equal(sdp_print(s, &out), 0);
	assert_string_equal(buf_cstr(&out),
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
		"a=group:BUNDLE 0 1\r\na=ice-lite\r\na=ice-ufrag:abcd\r\n"
		"a=fingerprint:sha-x AB:CD\r\na=setup:actpass\r\n"
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
		"a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
		"a=mid:0\r\na=sendrecv\r\na=rtpmap:96 VP8/90000\r\n"
		"a=rtcp-fb:96 nack\r\n"
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
		"a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
		"a=mid:1\r\na=sendrecv\r\na=rtpmap:96 VP8/90000\r\n"
		"a=rtcp-fb:96 nack\r\n");
	sdp_free(s);
	buf_free(&out);
	sdp_free(NULL);
}

/* No text of ours can end a line or be left out. */
static void nothing_smuggled(void **state)
{
	struct buf out = {0};
	struct sdp *s = sdp_new();
	struct sdp_media *m = sdp_add_media(s);
	(void)state;
	buf_puts(&out, "before");
	assert_int_equal(sdp_print(s, &out), -EINVAL); /* no protocol */
	m->protocol = "RTP/AVP";
	assert_int_equal(sdp_print(s, &out), -EINVAL); /* no codec */
	sdp_add_codec(s, m);
	assert_int_equal(sdp_print(s, &out), 0);
	out.len = 6;
	m->mid = "0\r\na=setup:active";
	assert_int_equal(sdp_print(s, &out), -EINVAL);
	m->mid = NULL;
	s->own.ufrag = "abc\x7f";
	assert_int_equal(sdp_print(s, &out), -EINVAL);
	assert_int_equal(out.err, 0);
	assert_string_equal(buf_cstr(&out), "before");
	buf_free(&out);
	sdp_free(s);
}

static void tolerated(void **state)
{
	/* LF alone, an empty line at the end, unknown attributes, attributes
	 * at the wrong level, unknown payload types, repeated spaces. */
	struct sdp *s = parse("v=0\no=mozilla 1 2 IN IP4 0.0.0.0\ns= \n"
		"c=IN IP4 192.0.2.9\nb=AS:1\na=recvonly\na=mid:x\na=foo\n"
		"a=extmap:7 urn:y\na=msid-semantic: WMS *\nt=0 0\n"
		"m=audio 5 RTP/AVP 0  8\na=rtpmap:111 opus/48000/2\n"
		"a=fmtp:111 x\na=rtcp-fb:111 nack\na=rtcp-fb:* nack\n"
		"a=rtcp-fb:* nack\na=extmap:4096 urn:z\n"
		"a=candidate:1 1 sctp 1 192.0.2.1 1 typ host\n"
		"a=candidate:1 1 udp 1 x.local 1 typ magic\n"
		"m=video 0 RTP/AVP 0\na=sendonly\n\n");
	(void)state;
	assert_int_equal(s->media_count, 2);
	assert_int_equal(s->media[0].dir, SDP_RECVONLY);
	assert_int_equal(s->media[1].dir, SDP_SENDONLY);
	assert_null(s->media[0].mid);
	assert_string_equal(s->media[0].address, "IP4 192.0.2.9");
	assert_int_equal(s->media[0].codec_count, 2);
	assert_null(s->media[0].codecs[0].name);
	assert_int_equal(s->media[0].codecs[1].feedback_count, 1);
	assert_int_equal(s->media[0].own.extmap_count, 0);
	assert_int_equal(s->media[0].candidate_count, 0);
	assert_int_equal(sdp_extmap_id(s, &s->media[0], "urn:y"), 7);
	sdp_free(s);
}

static void malformed(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *reason;
	} bad[] = {
		{"", 0, "ends before s="},
		{"v=0\r\n", 1, "ends before s="},
		{"v=1\r\n", 1, "the version is not 0"},
		{"o=- 1 1 IN IP4 0\r\n", 1, "must begin with v=, o=, s="},
		{"v=0\r\ns=-\r\n", 2, "must begin with v=, o=, s="},
		{"v=0\r\no=- x 1 IN IP4 0\r\n", 2,
			"the origin's id is no number"},
		{"v=0\r\no=-\r\n", 2, "the origin's id is no number"},
		{TOP "s=x\r\n", 5, "v=, o= or s= twice"},
		{TOP "\r\nt=0 0\r\n", 5, "not of the form x=value"},
		{TOP "a\r\n", 5, "not of the form x=value"},
		{TOP "==a\r\n", 5, "unknown type of line"},
		{TOP "x=a\r\n", 5, "unknown type of line"},
		{TOP "a=x\ty\r\n", 5, "a control character"},
		{TOP "a=x\ry\r\n", 5, "a control character"},
		{TOP "a=\xff\r\n", 5, "not UTF-8"},
		{TOP "c=IN ATM 1\r\n", 5, "c= is not IN IP4 or IN IP6"},
		{TOP "m=audio 9 RTP/AVP\r\n", 5,
			"m= has fewer than four parts"},
		{TOP "m=audio\r\n", 5, "m= has fewer than four parts"},
		{TOP "m=audio 65536 RTP/AVP 0\r\n", 5,
			"the port is not 0 to 65535"},
		{TOP "m=audio 9 RTP/AVP 128\r\n", 5,
			"a payload type is not 0 to 127"},
		{TOP "m=audio 9 RTP/AVP 0 0\r\n", 5, "a payload type twice"},
		{TOP "a=ice-ufrag:abc\r\n", 5,
			"ice-ufrag is shorter than 4 characters"},
		{TOP "a=ice-ufrag:ab:c\r\n", 5, "no ICE character"},
		{TOP "a=ice-pwd:012345678901234567890\r\n", 5,
			"ice-pwd is shorter than 22 characters"},
		{TOP "a=ice-ufrag:abcd\r\na=ice-ufrag:abcd\r\n", 6,
			"said twice"},
		{TOP "a=setup:both\r\n", 5, "unknown setup"},
		{TOP "a=setup:active\r\na=setup:passive\r\n", 6, "said twice"},
		{TOP "a=fingerprint:sha-256 AB\r\n", 5,
			"the fingerprint does not fit its hash"},
		{TOP "a=fingerprint:foo AB:\r\n", 5,
			"the fingerprint is malformed"},
		{TOP "a=fingerprint:foo ABC\r\n", 5,
			"the fingerprint is malformed"},
		{TOP "a=fingerprint:foo\r\n", 5,
			"the fingerprint is malformed"},
		{TOP "a=fingerprint:foo AB:CG\r\n", 5,
			"the fingerprint is malformed"},
		{TOP "a=group:BUNDLE 0\r\n", 0,
			"BUNDLE names a mid that is not there"},
		{TOP "a=group\r\n", 5, "a group without semantics"},
		{TOP "a=group:BUNDLE a,b\r\n", 5, "a mid is no token"},
		{TOP "a=extmap:1\r\n", 5, "extmap without id or URI"},
		{TOP "a=extmap:0 urn:x\r\n", 5, "extmap without id or URI"},
		{TOP "a=extmap:256 urn:x\r\n", 5,
			"the extmap id is above 255"},
		{TOP "a=extmap:1/up urn:x\r\n", 5, "unknown direction"},
		{TOP "a=extmap:1 urn:x\r\na=extmap:1 urn:y\r\n", 6,
			"an extmap id twice"},
		{TOP AUDIO "a=sendonly\r\na=recvonly\r\n", 7,
			"a direction twice"},
		{TOP AUDIO "a=mid:\r\n", 6, "the mid is no token"},
		{TOP AUDIO "a=mid:a b\r\n", 6, "the mid is no token"},
		{TOP AUDIO "a=mid:x\r\na=mid:y\r\n", 7, "said twice"},
		{TOP AUDIO "a=mid:x\r\n" AUDIO "a=mid:x\r\n", 8, "a mid twice"},
		{TOP AUDIO "a=rtpmap:111\r\n", 6,
			"rtpmap without name or rate"},
		{TOP AUDIO "a=rtpmap:111 /1\r\n", 6,
			"rtpmap without name or rate"},
		{TOP AUDIO "a=rtpmap:111 opus/0\r\n", 6,
			"rate or channels out of range"},
		{TOP AUDIO "a=rtpmap:111 opus/4294967296\r\n", 6,
			"rate or channels out of range"},
		{TOP AUDIO "a=rtpmap:111 opus/48000/256\r\n", 6,
			"rate or channels out of range"},
		{TOP AUDIO "a=rtpmap:111 a/1\r\na=rtpmap:111 b/1\r\n", 7,
			"said twice"},
		{TOP AUDIO "a=fmtp:x y\r\n", 6,
			"a payload type is not 0 to 127"},
		{TOP AUDIO "a=rtcp-fb:111\r\n", 6, "rtcp-fb without a kind"},
		{TOP AUDIO "a=rid:q\r\n", 6, "the rid is not send or recv"},
		{TOP AUDIO "a=rid:\r\n", 6, "the rid is no token"},
		{TOP AUDIO "a=rid:q send\r\na=rid:q send\r\n", 7,
			"a rid twice"},
		{TOP AUDIO "a=simulcast:send\r\n", 6, "simulcast is malformed"},
		{TOP AUDIO "a=simulcast:both q\r\n", 6,
			"simulcast is malformed"},
		{TOP AUDIO "a=simulcast:send q send h\r\n", 6, "said twice"},
		{TOP AUDIO "a=ssrc-group:\r\n", 6,
			"an ssrc-group without semantics"},
		{TOP AUDIO "a=ssrc:4294967296 a:b\r\n", 6,
			"ssrc without number or attribute"},
		{TOP AUDIO "a=ssrc:1\r\n", 6,
			"ssrc without number or attribute"},
		{TOP AUDIO "a=ssrc-group:FID x\r\n", 6, "an SSRC is no number"},
		{TOP AUDIO "a=msid:\r\n", 6, "msid without a stream"},
		{TOP AUDIO "a=candidate:1 1 udp 1 a 1 typ\r\n", 6,
			"the candidate is malformed"},
		{TOP AUDIO "a=candidate:1 1 udp 1 a 65536 typ host\r\n", 6,
			"the candidate is malformed"},
		{TOP AUDIO "a=candidate:1 1 udp 1 a;b 1 typ host\r\n", 6,
			"the candidate is malformed"},
		{TOP AUDIO "a=candidate:1 1 tcp 1 a 1 typ host\r\n", 6,
			"the candidate is malformed"},
		{TOP AUDIO "a=candidate:1 1 udp 1 a 1 typ host x\r\n", 6,
			"the candidate is malformed"},
		{TOP AUDIO "a=candidate:1 1 udp 1 a 1 typ host raddr ;\r\n", 6,
			"the candidate is malformed"},
		{TOP AUDIO "a=candidate:1 1 udp 1 a 1 typ host rport x\r\n", 6,
			"the candidate is malformed"},
		{TOP AUDIO "a=candidate:1 1 tcp 1 a 1 typ host tcptype x\r\n",
			6, "the candidate is malformed"},
		{TOP AUDIO "a=candidate:1 1 udp 1 a 1 typ host tcptype so\r\n",
			6, "the candidate is malformed"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sdp_error e;
		size_t n = strlen(bad[i].text);
		char *exact = malloc(n ? n : 1); /* no NUL behind it */
		memcpy(exact, bad[i].text, n);
		errno = 0;
		assert_null(sdp_parse(exact, n, &e));
		free(exact);
		assert_int_equal(errno, EINVAL);
		assert_string_equal(e.reason, bad[i].reason);
		assert_int_equal(e.line, bad[i].line);
	}
	struct sdp_error e;
	assert_null(sdp_parse("v=0\0", 4, &e)); /* a NUL is no end */
	assert_string_equal(e.reason, "a control character");
	char text[64];
	sdp_error_text(&e, text, sizeof(text));
	assert_string_equal(text, "line 1: a control character");
	assert_null(sdp_parse("", 0, &e));
	sdp_error_text(&e, text, sizeof(text));
	assert_string_equal(text, "ends before s=");
}

/* HEAD, then line n times (with %u counting), must fail with reason; once
 * less is legal. */
static void limit(const char *head, const char *line, unsigned max,
	const char *reason)
{
	struct buf b = {0};
	struct sdp_error e;
	char number[16];
	buf_puts(&b, head);
	for (unsigned i = 0; i <= max; i++) {
		if (i == max) {
			struct sdp *s = sdp_parse((char *)b.data, b.len, &e);
			assert_non_null(s);
			sdp_free(s);
		}
		const char *hash = strchr(line, '#');
		snprintf(number, sizeof(number), "%u", i + 1);
		buf_put(&b, line, hash ? (size_t)(hash - line) : strlen(line));
		if (hash) {
			buf_puts(&b, number);
			buf_puts(&b, hash + 1);
		}
	}
	assert_null(sdp_parse((char *)b.data, b.len, &e));
	assert_int_equal(errno, E2BIG);
	assert_string_equal(e.reason, reason);
	buf_free(&b);
}

static void limits(void **state)
{
	char line[SDP_MAX_LINE + 16];
	(void)state;
	limit(TOP, AUDIO, SDP_MAX_MEDIA, "too many m-lines");
	limit(TOP, "a=group:LS\r\n", SDP_MAX_GROUPS, "too many groups");
	limit(TOP "a=group:LS", " m#", SDP_MAX_MEDIA,
		"too many mids in a group");
	limit(TOP, "a=fingerprint:x AB\r\n", SDP_MAX_FINGERPRINTS,
		"too many fingerprints");
	limit(TOP "m=audio 9 RTP/AVP", " #", SDP_MAX_CODECS,
		"too many payload types");
	limit(TOP AUDIO, "a=rtcp-fb:111 x#\r\n", SDP_MAX_FEEDBACK,
		"too many kinds of feedback");
	limit(TOP AUDIO, "a=extmap:# urn:x\r\n", SDP_MAX_EXTMAPS,
		"too many extmaps");
	limit(TOP AUDIO, "a=rid:r# send\r\n", SDP_MAX_RIDS, "too many rids");
	limit(TOP AUDIO, "a=ssrc:1 x\r\n", SDP_MAX_SSRCS,
		"too many ssrc lines");
	limit(TOP AUDIO, "a=ssrc-group:FID\r\n", SDP_MAX_SSRC_GROUPS,
		"too many ssrc-groups");
	limit(TOP AUDIO "a=ssrc-group:FID", " #", SDP_MAX_GROUP_SSRCS,
		"too many SSRCs in a group");
	limit(TOP AUDIO, "a=msid:x\r\n", SDP_MAX_MSIDS, "too many msids");
	limit(TOP AUDIO, "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n",
		SDP_MAX_CANDIDATES, "too many candidates");
	memset(line, 'x', sizeof(line));
	memcpy(line, "a=", 2);
	line[SDP_MAX_LINE] = '\0';
	struct buf b = {0};
	buf_puts(&b, TOP);
	buf_puts(&b, line);
	sdp_free(parse(buf_cstr(&b)));
	limit(buf_cstr(&b), "x", 0, "the line is too long");
	buf_clear(&b);
	buf_puts(&b, TOP);
	while (b.len < SDP_MAX_BYTES)
		buf_puts(&b, "b=\n");
	b.len = SDP_MAX_BYTES;
	limit(buf_cstr(&b), "b", 0, "longer than 65536 bytes");
	buf_free(&b);
}

/* Bounds on the memory that 64 KiB can ask for: wildcards are the lever. */
static void amplification(void **state)
{
	struct buf b = {0};
	struct sdp_error e;
	(void)state;
	buf_puts(&b, TOP);
	for (int m = 0; m < 64; m++) {
		buf_puts(&b, "m=a 9 RTP/AVP");
		for (int i = 0; i < 96; i++)
			buf_printf(&b, " %d", i);
		buf_puts(&b, "\n");
		for (int i = 0; i < 16; i++)
			buf_printf(&b, "a=rtcp-fb:* %d\n", i);
	}
	assert_true(b.len < SDP_MAX_BYTES);
	struct sdp *s = sdp_parse((char *)b.data, b.len, &e);
	assert_non_null(s);
	assert_int_equal(s->media[63].codecs[95].feedback_count, 16);
	sdp_free(s);
	buf_free(&b);
}

static void fmtp(void **state)
{
	char out[8];
	(void)state;
	assert_int_equal(sdp_fmtp("apt=96", "apt", out, 8), 0);
	assert_string_equal(out, "96");
	assert_int_equal(sdp_fmtp("x=1; APT=96;y", "apt", out, 8), 0);
	assert_string_equal(out, "96");
	assert_int_equal(sdp_fmtp("apt=", "apt", out, 8), 0);
	assert_string_equal(out, "");
	assert_int_equal(sdp_fmtp("apt", "apt", out, 8), -ENOENT);
	assert_int_equal(sdp_fmtp("xapt=1;aptx=2", "apt", out, 8), -ENOENT);
	assert_int_equal(sdp_fmtp("", "apt", out, 8), -ENOENT);
	assert_int_equal(sdp_fmtp(NULL, "apt", out, 8), -ENOENT);
	assert_int_equal(sdp_fmtp("a=12345678", "a", out, 8), -ENAMETOOLONG);
	assert_string_equal(out, "");
}

static int read_and_print(void *arg)
{
	struct sdp_error e;
	struct buf out = {0};
	struct sdp *s = sdp_parse(arg, strlen(arg), &e);
	if (!s) {
		assert_string_equal(e.reason, "out of memory");
		return -errno;
	}
	const char *text = sdp_text(s, "%s", "text");
	int rc = text ? sdp_print(s, &out) : -errno;
	if (rc)
		assert_int_equal(out.len, 0);
	buf_free(&out);
	sdp_free(s);
	return rc;
}

static void out_of_memory(void **state)
{
	static char text[] = TOP VIDEO "a=rtpmap:96 VP8/90000\r\n";
	size_t n;
	char *p = load("chromium-publish", &n);
	(void)state;
	p[n] = '\0';
	assert_true(oom_ladder(read_and_print, p) > 10);
	free(p);
	assert_true(oom_ladder(read_and_print, text) > 4);
	static char all[sizeof(everything)];
	memcpy(all, everything, sizeof(all));
	assert_true(oom_ladder(read_and_print, all) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chromium_publish),
		cmocka_unit_test(chromium_codecs),
		cmocka_unit_test(firefox_publish),
		cmocka_unit_test(data_channels),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(printed_by_eye),
		cmocka_unit_test(built),
		cmocka_unit_test(nothing_smuggled),
		cmocka_unit_test(tolerated),
		cmocka_unit_test(malformed),
		cmocka_unit_test(limits),
		cmocka_unit_test(amplification),
		cmocka_unit_test(fmtp),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests_name("wire-sdp", tests, NULL, NULL);
}
