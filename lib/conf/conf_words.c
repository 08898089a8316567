/* conf_words - a value as a list of words, see conf.h. */
#include "base.h"
#include "conf.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Reads the word at *s into b and moves behind it. */
static int one_word(struct buf *b, const char **s)
{
	bool quoted = false;

	buf_clear(b);
	for (; **s && (quoted || !is_blank(**s)); (*s)++) {
		if (**s == '"')
			quoted = !quoted;
		else
			buf_putc(b, **s);
	}
	if (quoted)
		return -EINVAL;
	return buf_cstr(b) ? 0 : -ENOMEM;
}

int conf_words(struct conf_words *w, const char *value)
{
	struct buf b = {0};
	int err = 0;

	*w = (struct conf_words){0};
	while (!err) {
		while (is_blank(*value))
			value++;
		if (!*value)
			break;
		if (w->n == CONF_MAX_WORDS) {
			err = -E2BIG;
			break;
		}
		err = one_word(&b, &value);
		if (!err && !(w->v[w->n] = strdup(buf_cstr(&b))))
			err = -ENOMEM;
		if (!err)
			w->n++;
	}
	buf_free(&b);
	if (err)
		conf_words_free(w);
	return err;
}

void conf_words_free(struct conf_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	*w = (struct conf_words){0};
}
