/* One line per event, written in one write. */
#include <unistd.h>

#include "base.h"
#include "io.h"

static struct {
	int fd;
	enum io_level max;
	char tool[32];
} log_to = {.fd = -1};

void io_log_to(int fd, const char *tool, enum io_level max)
{
	log_to.fd = fd;
	log_to.max = max;
	if (str_copy(log_to.tool, sizeof(log_to.tool), tool))
		log_to.tool[0] = 0;
}

void io_log(enum io_level level, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warning", "info",
		"debug"};
	struct buf text = {0}, line = {0};
	va_list ap;

	if (log_to.fd < 0 || level > log_to.max)
		return;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	buf_printf(&line, "%s: %s: ", log_to.tool, names[level]);
	str_escape(&line, text.data ? (const char *)text.data : "", text.len);
	buf_putc(&line, '\n');
	/* A log that cannot be written has nowhere to complain to. */
	if (!line.err && write(log_to.fd, line.data, line.len) < 0)
		errno = 0;
	buf_free(&text);
	buf_free(&line);
}
