/* Whom a request comes from. All that is counted, limited or told of a
 * stranger asks here, so that there is one answer to it. */
#include "web_priv.h"

void web_source(const struct web *w, struct evhttp_request *req,
	union io_addr *out)
{
	const struct sockaddr *sa = evhttp_connection_get_addr(
		evhttp_request_get_connection(req));

	(void)w;
	*out = (union io_addr){0};
	if (sa && (sa->sa_family == AF_INET || sa->sa_family == AF_INET6))
		memcpy(out, sa, sa->sa_family == AF_INET6 ?
			sizeof(out->in6) : sizeof(out->in4));
}
