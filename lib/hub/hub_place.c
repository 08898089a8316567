/* hub_place - where confd-signal finds the client's files, by which addresses
 * it serves browsers, by which sockets tools, and what its links begin with. */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>
#include "hub_priv.h"

PRINTF(3, 4)
static int fail(char why[256], int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, 256, fmt, ap);
	va_end(ap);
	return status;
}

/* --- Words --------------------------------------------------------------- */

/* The length of "scheme://host[:port]" at the beginning, 0 if it is none. */
static size_t origin_of(const char *s)
{
	size_t scheme = str_starts(s, "https://") ? 8 :
		str_starts(s, "http://") ? 7 : 0, n = scheme;

	while (isalnum((unsigned char)s[n]) || (s[n] && strchr(".-:[]_",
		s[n])))
		n++;
	return scheme && n > scheme ? n : 0;
}

bool hub_is_origin(const char *s)
{
	size_t n = origin_of(s);

	return n && !s[n];
}

int hub_base(const char *url, char base[HUB_URL_CAP],
	char origin[HUB_URL_CAP])
{
	size_t n = origin_of(url), len = strlen(url);

	if (!n || len >= HUB_URL_CAP || (url[n] && url[n] != '/') ||
		strpbrk(url, " #?\"<>"))
		return -EINVAL;
	while (len > n && url[len - 1] == '/')
		len--;
	snprintf(base, HUB_URL_CAP, "%.*s", (int)len, url);
	snprintf(origin, HUB_URL_CAP, "%.*s", (int)n, url);
	return 0;
}

int hub_base_path(char base[HUB_URL_CAP], const char *path)
{
	size_t n = origin_of(base);

	if (!web_is_base(path))
		return -EINVAL;
	if (base[n])
		return 0;
	return str_copy(base + n, HUB_URL_CAP - n, path) ? -ENAMETOOLONG : 0;
}

/* --- The client ---------------------------------------------------------- */

static bool has_client(const char *dir)
{
	char path[8192];

	snprintf(path, sizeof(path), "%s/index.html", dir);
	return access(path, R_OK) == 0;
}

int hub_find_www(char out[4096])
{
	static const char *const beside[] = {"../share/confkit/www",
		"../../lib/web/www", "../../../lib/web/www"};
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < ARRAY_LEN(beside); i++) {
		*slash = '\0';
		snprintf(out, 4096, "%s/%s", self, beside[i]);
		if (has_client(out))
			return 0;
	}
	str_copy(out, 4096, CONF_PREFIX "/share/confkit/www");
	return has_client(out) ? 0 : -ENOENT;
}

/* --- Addresses ----------------------------------------------------------- */

static int cannot_listen(const char *where, int err, char why[256])
{
	int status = err == -EADDRINUSE ? 75 : err == -EINVAL ||
		err == -EADDRNOTAVAIL || err == -ENAMETOOLONG ? 2 : 3;

	return fail(why, status, "cannot listen on '%.120s': %s", where,
		strerror(-err));
}

int hub_http_open(const char *const *addrs, size_t n, int fds[HUB_HTTP],
	int *n_fds, char why[256])
{
	static const char *const defaults[] = {"*:8443", "[::]:8443"};
	const char *const *where = n ? addrs : defaults;
	union io_addr addr;
	int got = io_inherited("http", fds, HUB_HTTP), fd, err = 0;

	*n_fds = got > 0 ? got : 0;
	if (*n_fds)
		return 0;
	for (size_t i = 0; i < (n ? n : ARRAY_LEN(defaults)); i++) {
		err = io_addr_parse(&addr, where[i]);
		if (err)
			return fail(why, 2, "not an address: '%.100s'",
				where[i]);
		fd = io_tcp_listen(&addr);
		if (fd >= 0) {
			fds[(*n_fds)++] = fd;
			continue;
		}
		/* A host without IPv6 is none that we refuse to run on. */
		if (n || fd != -EAFNOSUPPORT)
			return cannot_listen(where[i], fd, why);
		err = fd;
	}
	return *n_fds ? 0 : cannot_listen(where[0], err, why);
}

static bool is_loopback(const union io_addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static bool is_any(const union io_addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return a->in4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

int hub_http_check(const int *fds, int n, bool tls, char base[HUB_URL_CAP],
	char why[256])
{
	const char *scheme = tls ? "https" : "http";
	char text[IO_ADDR_CAP];
	union io_addr addr;

	for (int i = 0; i < n; i++) {
		if (io_local_addr(fds[i], &addr))
			return fail(why, 3, "an inherited socket is none");
		io_addr_format(text, &addr);
		if (!tls && !is_loopback(&addr))
			return fail(why, 2, "plain HTTP is for loopback "
				"addresses, not for '%s'", text);
		io_log(IO_INFO, "%s on %s", scheme, text);
		if (*base)
			continue;
		if (is_loopback(&addr) || is_any(&addr))
			snprintf(text, sizeof(text), "localhost:%u",
				io_addr_port(&addr));
		snprintf(base, HUB_URL_CAP, "%s://%s", scheme, text);
	}
	return 0;
}

/* --- Sockets of tools ----------------------------------------------------- */

static int listen_unix(struct hub *h, const char *name, int fd)
{
	return str_eq(name, "signal") ? hub_listen_signal(h, fd) :
		hub_listen_worker(h, fd);
}

int hub_unix_open(struct hub *h, const char *dir, const char *name,
	mode_t mode, gid_t gid, char *path, size_t cap, char why[256])
{
	int fds[2], fd, n = io_inherited(name, fds, 2), err = 0;

	*path = '\0';
	for (int i = 0; i < n; i++)
		err = err ? err : listen_unix(h, name, fds[i]);
	if (n > 0)
		return err ? fail(why, 3, "cannot use the socket '%s': %s",
			name, strerror(-err)) : 0;
	snprintf(path, cap, "%s/%s.sock", dir, name);
	fd = io_unix_listen(path, mode, gid);
	if (fd < 0) {
		err = cannot_listen(path, fd, why);
		*path = '\0';
		return err;
	}
	err = listen_unix(h, name, fd);
	return err ? fail(why, 3, "cannot serve '%.180s': %s", path,
		strerror(-err)) : 0;
}

int hub_metrics_open(struct hub *h, const char *where, char why[256])
{
	char text[IO_ADDR_CAP];
	union io_addr addr;
	int err = io_addr_parse(&addr, where);
	int fd = err ? err : io_tcp_listen(&addr);

	if (fd < 0)
		return cannot_listen(where, fd, why);
	err = io_local_addr(fd, &addr);
	err = err ? err : hub_listen_metrics(h, fd);
	if (err)
		return cannot_listen(where, err, why);
	io_addr_format(text, &addr);
	io_log(IO_INFO, "metrics on %s", text);
	return 0;
}
