/* Headers of proxies: five strings, parted by NUL: X-Forwarded-For, -Proto,
 * -Host, Forwarded, a network. Whatever they are, what the last proxy adds
 * behind them is believed, and nothing of a peer that is not trusted. */
#include "base.h"
#include "web_priv.h"
#include "fuzz.h"

#define PARTS 5

static const char *with(struct buf *b, const char *s, const char *more)
{
	buf_clear(b);
	buf_printf(b, "%s, %s", s, more);
	return buf_cstr(b);
}

/* As a client may have sent it, with what its proxy writes behind it. */
static void proxied(const struct web_said *said, const struct web_net *trust)
{
	struct web_said s = *said;
	struct buf x = {0}, f = {0};
	struct web_client c;
	union io_addr peer, wanted;
	const char *why;

	CHECK(!io_addr_parse(&peer, "10.0.0.1:1"));
	CHECK(!io_addr_parse(&wanted, "203.0.113.7:9"));
	s.x_for = with(&x, said->x_for, "203.0.113.7:9");
	s.forwarded = NULL;
	s.x_host = NULL;
	CHECK(!web_client_of(&c, &peer, true, &s, trust, 1, &why));
	CHECK(io_addr_eq(&c.addr, &wanted));
	s.forwarded = with(&f, said->forwarded, "for=203.0.113.7");
	/* Refused, or right. */
	if (!web_client_of(&c, &peer, true, &s, trust, 1, &why))
		CHECK(io_addr_eq(&c.addr, &wanted));
	s.x_for = NULL;
	io_addr_set_port(&wanted, 0);
	if (!web_client_of(&c, &peer, true, &s, trust, 1, &why))
		CHECK(io_addr_eq(&c.addr, &wanted));
	buf_free(&x);
	buf_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = malloc(n + PARTS + 1), *part[PARTS], *at = text;
	struct web_net ours, theirs;
	struct web_client c;
	union io_addr peer;
	const char *why = NULL;

	CHECK(text);
	memcpy(text, p, n);
	memset(text + n, 0, PARTS + 1);
	for (size_t i = 0; i < PARTS; i++) {
		part[i] = at;
		at += strlen(at);
		at += at < text + n + i + 1;
	}
	const struct web_said said = {.x_for = part[0], .x_proto = part[1],
		.x_host = part[2], .forwarded = part[3], .host = "h"};

	CHECK(!web_net_parse(&ours, "10.0.0.0/8"));
	CHECK(!io_addr_parse(&peer, "10.0.0.1:1"));
	if (web_client_of(&c, &peer, false, &said, &ours, 1, &why) == 0)
		CHECK(web_host_ok(c.host));
	else
		CHECK(why && *why);
	if (web_net_parse(&theirs, part[4]) == 0)
		CHECK(theirs.bits <= 128);
	CHECK(!io_addr_parse(&peer, "192.0.2.1:1"));
	CHECK(!web_client_of(&c, &peer, false, &said, &ours, 1, &why));
	CHECK(io_addr_eq(&c.addr, &peer) && !c.tls && str_eq(c.host, "h"));
	proxied(&said, &ours);
	free(text);
	return 0;
}
