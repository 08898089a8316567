/* confkit.conf: any bytes; what parses is found again and splits. */
#include "base.h"
#include "conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char why[CONF_WHY_CAP] = "";
	struct conf *c = conf_parse(p, n, "f", why);
	const char *s, *k, *v;
	size_t pos = 0;

	if (!c) {
		if (!*why)
			abort();
		return 0;
	}
	while (conf_next(c, &pos, &s, &k, &v)) {
		struct conf_words w;
		if (conf_get(c, s, k) != v)
			abort();
		if (!conf_words(&w, v))
			conf_words_free(&w);
	}
	conf_free(c);
	return 0;
}
