/* cli-server SOCKET SCRIPT - a server of canned answers, for tests of what
 * meeting-ctl makes of them. Each line of SCRIPT is METHOD, TAB, and what to
 * do when it is called:
 *
 *   {...}          answer with this result
 *   !KIND WORDS    answer with this error
 *   >TEXT          write TEXT as a line
 *   hang           do not answer
 *   close          close the connection
 *
 * All lines of a method are done in order; "hello" is answered if the script
 * does not say how. Requests are printed, one line each: METHOD, TAB, params.
 * Serves one connection after the other until it is killed. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "io.h"
#include "json.h"

struct conn {
	int fd;
	FILE *in;
	const char *script;
};

static void send_line(struct conn *c, struct buf *b)
{
	buf_putc(b, '\n');
	if (write(c->fd, b->data, b->len) != (ssize_t)b->len)
		perror("cli-server: write");
	buf_free(b);
}

static void answer(struct conn *c, json_int_t id, const char *what)
{
	struct buf b = {0};

	buf_printf(&b, "{\"jsonrpc\":\"2.0\",\"id\":%lld,", (long long)id);
	if (what[0] == '!') {
		const char *words = strchr(what, ' ');
		size_t kind = words ? (size_t)(words - what) - 1 :
			strlen(what + 1);
		buf_printf(&b, "\"error\":{\"code\":-32000,\"message\":\"%s\","
			"\"data\":{\"kind\":\"%.*s\"}}}",
			words ? words + 1 : "no", (int)kind, what + 1);
	} else {
		buf_printf(&b, "\"result\":%s}", what);
	}
	send_line(c, &b);
}

/* False when the connection is to be closed. */
static bool act(struct conn *c, json_int_t id, const char *what)
{
	struct buf b = {0};

	if (str_eq(what, "close"))
		return false;
	if (what[0] == '>') {
		buf_puts(&b, what + 1);
		send_line(c, &b);
	} else if (!str_eq(what, "hang")) {
		answer(c, id, what);
	}
	return true;
}

static bool serve(struct conn *c, json_int_t id, const char *method)
{
	FILE *f = fopen(c->script, "r");
	char line[16384];
	bool found = false, more = true;

	if (!f) {
		perror(c->script);
		return false;
	}
	while (more && fgets(line, sizeof(line), f)) {
		char *tab = strchr(line, '\t');
		line[strcspn(line, "\n")] = '\0';
		if (!tab)
			continue;
		*tab = '\0';
		if (!str_eq(line, method))
			continue;
		found = true;
		more = act(c, id, tab + 1);
	}
	fclose(f);
	if (!found)
		answer(c, id, str_eq(method, "hello") ? "{\"protocol\":1,"
			"\"actor\":\"op:0\",\"rights\":[\"op\"]}" :
			"!invalid unknown method");
	return more;
}

static void converse(struct conn *c)
{
	char line[JSON_MAX_BYTES + 2];
	bool more = true;

	while (more && fgets(line, sizeof(line), c->in)) {
		char why[160];
		json_t *v = json_read(line, strlen(line), why);
		const char *bad = NULL, *method = json_str(v, "method", &bad);
		char *params = json_dumps(json_object_get(v, "params"),
			JSON_COMPACT);
		if (method) {
			printf("%s\t%s\n", method, params ? params : "");
			fflush(stdout);
			more = serve(c, json_int(v, "id", 0, &bad), method);
		}
		free(params);
		json_decref(v);
	}
}

int main(int argc, char **argv)
{
	int listener;

	if (argc != 3) {
		fprintf(stderr, "usage: cli-server SOCKET SCRIPT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	listener = io_unix_listen(argv[1], 0600, (gid_t)-1);
	if (listener < 0) {
		fprintf(stderr, "cli-server: %s\n", strerror(-listener));
		return 3;
	}
	for (;;) {
		struct conn c = {.fd = accept(listener, NULL, NULL),
			.script = argv[2]};
		if (c.fd < 0) {
			poll(&(struct pollfd){.fd = listener,
				.events = POLLIN}, 1, -1);
			continue;
		}
		c.in = fdopen(c.fd, "r");
		if (!c.in)
			return 3;
		converse(&c);
		fclose(c.in);
	}
}
