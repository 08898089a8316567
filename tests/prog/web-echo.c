/* web-echo - a server on 127.0.0.1 with the web module alone, for tests:
 * web-echo WWW [tls]. Prints its port. Its WebSocket echoes; "close CODE",
 * "flood N" (N messages of 1 KiB) and "ill" are understood. */
#include <stdio.h>
#include <unistd.h>
#include "base.h"
#include "crypt.h"
#include "io.h"
#include "web.h"

static bool ill;

static void *opened(void *arg, struct web_ws *ws)
{
	(void)arg;
	fprintf(stderr, "open\n");
	return ws;
}

static void text(void *arg, const char *p, size_t n)
{
	struct web_ws *ws = arg;
	char word[32] = "", block[1024];
	unsigned long number;
	int r = 0;

	snprintf(word, sizeof(word), "%.*s", (int)MIN(n, 31u), p);
	if (sscanf(word, "close %lu", &number) == 1) {
		web_ws_close(ws, (unsigned)number, "as asked");
	} else if (sscanf(word, "flood %lu", &number) == 1) {
		memset(block, 'x', sizeof(block));
		while (number-- && r == 0)
			r = web_ws_send(ws, block, sizeof(block));
		fprintf(stderr, "flood %d\n", r);
	} else {
		if (!strcmp(word, "ill"))
			ill = true;
		web_ws_send(ws, p, n);
	}
}

static void malformed(void *arg, unsigned code)
{
	(void)arg;
	fprintf(stderr, "malformed %u\n", code);
}

static void closed(void *arg)
{
	(void)arg;
	fprintf(stderr, "closed\n");
}

static void drained(void *arg)
{
	(void)arg;
}

static bool healthy(void *arg)
{
	(void)arg;
	return !ill;
}

static struct cert *make_cert(void)
{
	static const char *const sans[] = {"localhost", "127.0.0.1"};
	struct cert_spec spec = {.cn = "web-echo", .sans = sans, .n_sans = 2,
		.not_before_ms = io_wall_ms() - 1000,
		.not_after_ms = io_wall_ms() + 3600000};

	return cert_make(&spec);
}

int main(int argc, char **argv)
{
	static const struct web_events events = {
		.on_open = opened, .on_text = text, .on_close = closed,
		.on_malformed = malformed,
		.on_drained = drained, .healthy = healthy,
	};
	static const char *const origins[] = {"https://listed.example", NULL};
	struct cert *cert = argc > 2 ? make_cert() : NULL;
	struct web_config config = {.www = argv[1], .origins = origins,
		.hsts = true, .cert = cert};
	struct io_loop *loop = io_loop_new();
	union io_addr a;
	struct web *w;
	char why[160];
	int fd;

	io_ignore_sigpipe();
	io_log_to(2, "web-echo", IO_INFO);
	if (argc < 2 || io_addr_parse(&a, "127.0.0.1:0") < 0)
		return 2;
	fd = io_tcp_listen(&a);
	w = web_new(loop, &config, &events, NULL, why);
	if (fd < 0 || !w) {
		fprintf(stderr, "web-echo: %s\n", why);
		return 3;
	}
	io_local_addr(fd, &a);
	web_listen(w, fd);
	printf("%u\n", io_addr_port(&a));
	fflush(stdout);
	io_stop_on_signals(loop, -1, 0, NULL, NULL);
	io_loop_run(loop);
	web_free(w);
	io_loop_free(loop);
	cert_free(cert);
	return 0;
}
