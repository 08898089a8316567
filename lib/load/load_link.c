/* load_link - what a join link says. */
#include "base.h"
#include "load_link_priv.h"

static int refuse(char why[160], const char *text)
{
	snprintf(why, 160, "%s", text);
	return -EINVAL;
}

/* Copies [from, to). */
static int cut(char *dst, size_t cap, const char *from, const char *to)
{
	size_t n = (size_t)(to - from);

	if (n == 0 || n >= cap)
		return -EINVAL;
	memcpy(dst, from, n);
	dst[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (dst[i] <= ' ' || dst[i] >= 0x7f)
			return -EINVAL;
	return 0;
}

/* host[:port] or [v6][:port], in [p, end). */
static int authority(struct load_link *out, const char *p, const char *end)
{
	bool bracket = *p == '[';
	const char *close = bracket ? memchr(p, ']', (size_t)(end - p)) : NULL;
	const char *colon;
	uint64_t port;

	if (bracket && !close)
		return -EINVAL;
	colon = memchr(bracket ? close : p, ':', (size_t)(end - (bracket ?
		close : p)));
	if (bracket && close + 1 != (colon ? colon : end))
		return -EINVAL;
	if (cut(out->authority, sizeof out->authority, p, end) ||
		cut(out->host, sizeof out->host, bracket ? p + 1 : p,
			bracket ? close : colon ? colon : end))
		return -EINVAL;
	if (!colon)
		return str_copy(out->port, sizeof out->port,
			out->tls ? "443" : "80");
	if (cut(out->port, sizeof out->port, colon + 1, end))
		return -EINVAL;
	return str_u64(out->port, 1, 65535, &port);
}

int load_link_parse(struct load_link *out, const char *url, char why[160])
{
	const char *p = url, *slash, *room, *hash;
	char base[LOAD_PATH_CAP - 4] = "";

	*out = (struct load_link){.tls = str_starts(url, "https://")};
	if (!out->tls && !str_starts(url, "http://"))
		return refuse(why, "a join link begins with https:// or "
			"http://");
	p += strlen(out->tls ? "https://" : "http://");
	hash = strchr(p, '#');
	slash = strchr(p, '/');
	room = strstr(p, "/m/");
	if (!hash || !str_starts(hash, "#t=") || !hash[3])
		return refuse(why, "a join link ends in #t= and a token");
	if (!slash || !room || room > hash || !room[3])
		return refuse(why, "a join link has /m/ and a meeting's id");
	if (authority(out, p, slash))
		return refuse(why, "the link's host or port cannot be");
	if (room > slash && cut(base, sizeof base, slash, room))
		return refuse(why, "the link's path cannot be");
	snprintf(out->path, sizeof out->path, "%s/ws", base);
	if (cut(out->token, sizeof out->token, hash + 3, hash + strlen(hash)))
		return refuse(why, "the link's token cannot be");
	return 0;
}
