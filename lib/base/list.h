/* list - an intrusive doubly linked list. The head is a link of its own;
 * links are owned by the structures they stand in. */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* Legal on a link that was initialised or removed before. */
static inline void list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

#define list_entry(l, type, member) \
	((type *)(void *)((char *)(l) - offsetof(type, member)))

/* The current entry may be removed (and freed) inside the loop. */
#define list_each(l, safe, head)                                   \
	for (struct list *l = (head)->next, *safe = l->next;       \
		l != (head); l = safe, safe = l->next)

#endif
