/* load_link_priv - a join link, taken apart. Pure. */
#ifndef LOAD_LINK_PRIV_H
#define LOAD_LINK_PRIV_H

#include <stdbool.h>

#define LOAD_HOST_CAP   256
#define LOAD_PATH_CAP   256
#define LOAD_TOKEN_CAP  4096

struct load_link {
	bool tls;
	char host[LOAD_HOST_CAP];  /* IPv6 without its brackets */
	char port[6];
	char path[LOAD_PATH_CAP];  /* of the WebSocket: "/ws" */
	char authority[LOAD_HOST_CAP + 10]; /* as a Host header has it */
	char token[LOAD_TOKEN_CAP];
};

/* "http[s]://host[:port][/base]/m/ID[?…]#t=TOKEN". -EINVAL with why. */
int load_link_parse(struct load_link *out, const char *url, char why[160]);

#endif
