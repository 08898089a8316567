/* web_forward_priv - where a request behind proxies really comes from.
 *
 * Pure. Only a peer of a trusted network is believed; its headers are read
 * from the right, past every address that is trusted as well, up to the first
 * that is not: what stands further left, anybody may have written.
 * X-Forwarded-For, -Proto and -Host as proxies write them; Forwarded by
 * RFC 7239.
 *
 * Ownership: all is the caller's; nothing is kept.
 * Errors: -EINVAL. Addresses that are none ("unknown", "_hidden") are no
 * error: the walk ends before them.
 */
#ifndef WEB_FORWARD_PRIV_H
#define WEB_FORWARD_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include "io_net.h"

#define WEB_HOST_CAP 256

struct web_net {
	union io_addr addr; /* port 0; IPv4 never as IPv6 */
	unsigned bits;
};
/* "10.0.0.0/8", "2001:db8::/32", or one address. -EINVAL also for bits set
 * behind the prefix: that is a slip, and of which half nobody can tell. */
int web_net_parse(struct web_net *out, const char *s);
bool web_nets_have(const struct web_net *nets, size_t n,
	const union io_addr *a);

/* Headers of a request: each NULL, or all its lines joined by commas. */
struct web_said {
	const char *x_for, *x_proto, *x_host, *forwarded;
	const char *host;
};
struct web_client {
	union io_addr addr;       /* port 0: not known */
	bool tls;                 /* what the browser speaks */
	char host[WEB_HOST_CAP];  /* what it takes us for; empty: no Host */
};
/* peer and tls are those of the connection. -EINVAL, with a few static words
 * in why: from a trusted peer a Forwarded that is malformed, a host that is
 * none, or two headers that name different clients, of which one must then
 * have been written by the client itself. */
int web_client_of(struct web_client *c, const union io_addr *peer, bool tls,
	const struct web_said *said, const struct web_net *trust, size_t n,
	const char **why);

#endif
