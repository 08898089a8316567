/* io_log - one line per event on a descriptor that the tool chose (usually
 * 2): "TOOL: LEVEL: text", control characters escaped. Silent until a tool
 * has set it, so that library code stays mute in tests. */
#ifndef IO_LOG_H
#define IO_LOG_H

enum io_level { IO_ERROR, IO_WARN, IO_INFO, IO_DEBUG };

void io_log_to(int fd, const char *tool, enum io_level max);
void io_log(enum io_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
