/* A line of commands as words: whatever it holds, the words lie in their
 * block, end, and hold no more than the line did; quoted again they are the
 * same words. */
#include "cli_priv.h"
#include "fuzz.h"

/* As 'word', with each ' in it as '\''. */
static void quote(struct buf *out, const char *word)
{
	buf_putc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_puts(out, "'\\''");
		else
			buf_putc(out, *word);
	}
	buf_puts(out, "' ");
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char **words, **again;
	struct buf line = {0};
	size_t total = 0;
	int count = cli_words(n ? (const char *)p : "", n, &words);

	CHECK(count >= 1 || count == -EINVAL);
	if (count < 0) {
		CHECK(!words);
		return 0;
	}
	CHECK(str_eq(words[0], CLI_TOOL) && !words[count]);
	for (int i = 1; i < count; i++) {
		CHECK(words[i] == words[i - 1] + strlen(words[i - 1]) + 1);
		total += strlen(words[i]);
		quote(&line, words[i]);
	}
	CHECK(total <= n);
	CHECK(cli_words(line.len ? buf_cstr(&line) : "", line.len, &again) ==
		count);
	for (int i = 0; i < count; i++)
		CHECK(str_eq(words[i], again[i]));
	free(again);
	free(words);
	buf_free(&line);
	return 0;
}
