/* Prints the rights of people and operators as meet has them: METHOD, ABOUT
 * and WHO (blanks between), TAB separated. */
#include <stdio.h>
#include "meet.h"

int main(void)
{
	static const struct {
		unsigned bit;
		const char *name;
	} people[] = {{MEET_IS_GUEST, "guest"}, {MEET_IS_VIEWER, "viewer"},
		{MEET_IS_MODERATOR, "moderator"}, {MEET_IS_OP, "op"}};
	size_t n;
	const struct meet_right *r = meet_rights(&n);

	for (; n; n--, r++) {
		const char *between = "";

		if (!(r->who & (MEET_IS_GUEST | MEET_IS_VIEWER |
			MEET_IS_MODERATOR | MEET_IS_OP)))
			continue;
		printf("%s\t%s\t", r->method, *r->object ? r->object : "-");
		for (size_t i = 0; i < ARRAY_LEN(people); i++) {
			if (!(r->who & people[i].bit))
				continue;
			printf("%s%s", between, people[i].name);
			between = " ";
		}
		putchar('\n');
	}
	return fflush(stdout) ? 3 : 0;
}
