/* hub_wishes - those settings of confd-signal that can change while it runs:
 * where links lead, whose pages may connect or frame ours, which proxies are
 * believed, and the certificate. They come from options, or from the section
 * [signal] of a file, whose keys are named like the options.
 *
 * Ownership: all words are copied; a zeroed struct is empty, and
 * hub_wishes_free is legal on it.
 * Errors: what takes why returns 0 or an exit status (conf(7)), with words.
 */
#ifndef HUB_WISHES_H
#define HUB_WISHES_H

#include "conf.h"
#include "hub.h"

enum hub_wish { HUB_URL, HUB_CERT, HUB_CERT_KEY, HUB_ORIGIN, HUB_FRAME,
	HUB_TRUST, HUB_WISHES };
struct hub_wishes {
	struct conf_words words[HUB_WISHES];
	char base[HUB_URL_CAP]; /* of links, by hub_wishes_check; or empty */
};
#define HUB_WHY_CAP 256

/* A word of an option, or several of HUB_FRAME, parted by blanks. Where one is
 * all there can be, the last counts. -E2BIG, -ENOMEM, -EINVAL. */
int hub_wish(struct hub_wishes *w, enum hub_wish which, const char *word);
/* Replaces all by what the file says. */
int hub_wishes_read(struct hub_wishes *w, const char *path,
	char why[HUB_WHY_CAP]);
/* Whether they make sense, with TLS or without, below path (or NULL); adds
 * the origin of links to those that may connect. Once. */
int hub_wishes_check(struct hub_wishes *w, bool tls, const char *path,
	char why[HUB_WHY_CAP]);
/* The one named, or our own in the state directory. */
int hub_wishes_cert(const struct hub_wishes *w, const char *state_dir,
	struct cert **out, char why[HUB_WHY_CAP]);
/* The first word, or NULL. */
const char *hub_wished(const struct hub_wishes *w, enum hub_wish which);
/* Lends them to c, with own as the base of links where none is wished. */
void hub_wishes_fill(const struct hub_wishes *w, const char *own,
	struct hub_config *c);
void hub_wishes_free(struct hub_wishes *w);

#endif
