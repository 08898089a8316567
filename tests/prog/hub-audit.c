/* Prints the events of the audit log as hub has them: EVENT and VERDICT, TAB
 * separated. */
#include <stdio.h>
#include "hub.h"

int main(void)
{
	for (size_t i = 0; i < hub_audit_n_rows; i++)
		printf("%s\t%s\n", hub_audit_rows[i].name,
			hub_audit_rows[i].verdict);
	return fflush(stdout) ? 3 : 0;
}
