/* banned - calls that do not compile here, because each has cost somebody a
 * security advisory. base has the replacement named beside it. */
#ifndef BANNED_H
#define BANNED_H

#include <stdio.h>
#include <string.h>
#include <time.h>

#define BANNED(f)   sorry_##f##_is_banned

#undef strcpy
#define strcpy(d, s)      BANNED(strcpy)    /* str_copy */
#undef strcat
#define strcat(d, s)      BANNED(strcat)    /* buf_puts */
#undef strncpy
#define strncpy(d, s, n)  BANNED(strncpy)   /* str_copy */
#undef strncat
#define strncat(d, s, n)  BANNED(strncat)   /* buf_puts */
#undef sprintf
#define sprintf(...)      BANNED(sprintf)   /* snprintf, buf_printf */
#undef vsprintf
#define vsprintf(...)     BANNED(vsprintf)  /* vsnprintf */
#undef gets
#define gets(s)           BANNED(gets)
#undef atoi
#define atoi(s)           BANNED(atoi)      /* str_u64, str_i64 */
#undef atol
#define atol(s)           BANNED(atol)
#undef gmtime
#define gmtime(t)         BANNED(gmtime)    /* gmtime_r */
#undef localtime
#define localtime(t)      BANNED(localtime) /* localtime_r */
#undef ctime
#define ctime(t)          BANNED(ctime)
#undef asctime
#define asctime(t)        BANNED(asctime)
#undef strtok
#define strtok(s, d)      BANNED(strtok)    /* strtok_r */

#endif
