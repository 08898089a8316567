/* The client's files: every component of a path is opened on its own,
 * without following symbolic links, so that nothing outside the folder can
 * be named, whatever stands in it. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "web_priv.h"

#define FILE_MAX (8 << 20)

static const struct {
	const char *ext, *type;
} types[] = {
	{"html", "text/html; charset=utf-8"},
	{"css", "text/css; charset=utf-8"},
	{"js", "text/javascript; charset=utf-8"},
	{"mjs", "text/javascript; charset=utf-8"},
	{"json", "application/json"},
	{"webmanifest", "application/manifest+json"},
	{"txt", "text/plain; charset=utf-8"},
	{"svg", "image/svg+xml"},
	{"png", "image/png"},
	{"jpg", "image/jpeg"},
	{"webp", "image/webp"},
	{"ico", "image/x-icon"},
	{"woff2", "font/woff2"},
	{"ogg", "audio/ogg"},
	{"wasm", "application/wasm"},
};

const char *web_mime(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(types); i++)
		if (!strcasecmp(dot + 1, types[i].ext))
			return types[i].type;
	return "application/octet-stream";
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent codes; what results may only hold characters that our
 * files' names are made of. */
static int path_decode(char *out, size_t cap, const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		char c = *s;

		if (c == '%') {
			int hi = hex_digit(s[1]);
			int lo = hi < 0 ? -1 : hex_digit(s[2]);

			/* A coded slash is a name that we do not have. */
			if (lo < 0 || (hi << 4 | lo) == '/')
				return -ENOENT;
			c = (char)(hi << 4 | lo);
			s += 2;
		}
		if (!isalnum((unsigned char)c) && (!c || !strchr("._-/", c)))
			return -ENOENT;
		if (n + 1 >= cap)
			return -ENOENT;
		out[n++] = c;
	}
	out[n] = '\0';
	return 0;
}

int web_path(char *out, size_t cap, const char *url_path)
{
	char p[256];

	if (!url_path || url_path[0] != '/' || path_decode(p, sizeof(p),
		url_path) < 0)
		return -ENOENT;
	if (!p[1] || str_eq(p, "/m/") || (str_starts(p, "/m/") &&
		str_is_meeting_id(p + 3)))
		return str_copy(out, cap, "index.html");
	for (const char *s = p; *s; s++)
		if (s[0] == '/' && (s[1] == '/' || s[1] == '.' || !s[1]))
			return -ENOENT;
	return str_copy(out, cap, p + 1) < 0 ? -ENOENT : 0;
}

/* path has been through web_path; it is taken apart in place. */
static int open_below(int dir, char *path)
{
	int fd = dir;
	char *save = NULL;

	for (char *s = strtok_r(path, "/", &save); s;) {
		char *next = strtok_r(NULL, "/", &save);
		int f = openat(fd, s, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
			O_NONBLOCK | (next ? O_DIRECTORY : 0));
		int err = errno;

		if (fd != dir)
			close(fd);
		if (f < 0)
			return -err;
		fd = f;
		s = next;
	}
	return fd == dir ? -ENOENT : fd;
}

static int read_all(int fd, size_t n, struct evbuffer *out)
{
	while (n) {
		int r = evbuffer_read(out, fd, (int)MIN(n, 65536u));

		if (r <= 0)
			return -EIO;
		n -= (size_t)r;
	}
	return 0;
}

static bool etag_matches(const char *header, const char *etag)
{
	return header && (!strcmp(header, "*") || strstr(header, etag));
}

static void send_open(struct web *w, struct evhttp_request *req, int fd,
	const struct stat *st, const char *type)
{
	struct evkeyvalq *h = evhttp_request_get_output_headers(req);
	struct evbuffer *body;
	char etag[64], length[24];

	snprintf(etag, sizeof(etag), "\"%" PRIx64 "%05lx-%" PRIx64 "\"",
		(uint64_t)st->st_mtim.tv_sec, (long)st->st_mtim.tv_nsec >> 10,
		(uint64_t)st->st_size);
	evhttp_add_header(h, "ETag", etag);
	evhttp_add_header(h, "Cache-Control", "no-cache");
	if (etag_matches(evhttp_find_header(
		evhttp_request_get_input_headers(req), "If-None-Match"),
		etag)) {
		web_reply(w, req, 304, "Not Modified", NULL);
		return;
	}
	evhttp_add_header(h, "Content-Type", type);
	body = evbuffer_new();
	if (!body) {
		web_reply(w, req, 500, "Internal Server Error", NULL);
		return;
	}
	if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD) {
		snprintf(length, sizeof(length), "%" PRIu64,
			(uint64_t)st->st_size);
		evhttp_add_header(h, "Content-Length", length);
	} else if (read_all(fd, (size_t)st->st_size, body) < 0) {
		/* Cut short while being read: better no reply than half. */
		evbuffer_free(body);
		evhttp_clear_headers(h);
		web_reply(w, req, 500, "Internal Server Error", NULL);
		return;
	}
	web_headers(w, req);
	evhttp_send_reply(req, 200, "OK", body);
	evbuffer_free(body);
}

void web_file_send(struct web *w, struct evhttp_request *req,
	const char *url_path)
{
	char path[256];
	struct stat st;
	const char *type;
	int fd;

	if (web_path(path, sizeof(path), url_path) < 0) {
		web_reply(w, req, 404, "Not Found", "not found\n");
		return;
	}
	type = web_mime(path);
	fd = open_below(w->www, path);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM) {
		web_reply(w, req, 503, "Service Unavailable", "busy\n");
		return;
	}
	if (fd < 0) {
		web_reply(w, req, 404, "Not Found", "not found\n");
		return;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		st.st_size > FILE_MAX)
		web_reply(w, req, 404, "Not Found", "not found\n");
	else
		send_open(w, req, fd, &st, type);
	close(fd);
}
