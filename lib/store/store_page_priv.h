/* store_page_priv - what can be read of a database whose b-trees are not to
 * be trusted: events by their text and checksum wherever they stand, rows of
 * the other tables by their shape. */
#ifndef STORE_PAGE_PRIV_H
#define STORE_PAGE_PRIV_H

#include "store_priv.h"

#define STORE_COLUMNS 8

/* log.db and its WAL. Nothing here writes to them. */
struct store_source {
	int db, wal;     /* -1: none */
	struct store_wal look;
	uint32_t n_db;   /* pages in log.db, a cut one included */
	uint32_t *pgno;  /* of the frames up to look.end */
	uint8_t page[STORE_PAGE]; /* the one that is looked at */
	struct buf text; /* an event that stands on several pages */
};

/* 0, -ENOMEM, or why a file cannot be opened. */
int store_source_open(struct store_source *src, const struct store *s);
void store_source_close(struct store_source *src);
/* Into src->page; what cannot be read is zero. Pages count from 1. */
void store_source_frame(struct store_source *src, uint32_t frame);
void store_source_db(struct store_source *src, uint32_t pgno);
/* A committed copy, age steps older than the newest; false: there is none. */
bool store_source_copy(struct store_source *src, uint32_t pgno, unsigned age,
	uint8_t out[static STORE_PAGE]);
uint32_t store_source_pages(const struct store_source *src);

/* An event, as its text says. If not proven, no checksum beside it is right:
 * crc and prev are 0 then. */
struct store_found {
	const char *meeting;
	uint64_t seq, pos;
	const char *body;
	size_t n;
	uint32_t crc, prev;
	bool proven;
};
typedef int store_found_cb(void *arg, const struct store_found *f);
/* All events that begin on src->page. What cb returns other than 0 ends it. */
int store_page_events(struct store_source *src, store_found_cb *cb,
	void *arg);

/* Counts the events of a transaction that never committed, which are behind
 * what is kept of their meeting. 0 or -ENOMEM. */
int store_torn_events(struct store_source *src,
	uint64_t (*kept)(void *arg, const char *meeting), void *arg,
	struct store_report *r);

/* A column of a record: type as in SQLite's header. */
struct store_column {
	uint64_t type;
	int64_t i;          /* of an integer */
	const uint8_t *p;   /* of text and blob */
	size_t n;
};
bool store_is_int(const struct store_column *c);
bool store_is_text(const struct store_column *c, size_t max);
bool store_is_blob(const struct store_column *c, size_t n);

/* All cells of src->page by its own account, if it is a page of an index or
 * the leaf of a table; rowid is 0 in an index. Cells that lead astray, and
 * those that go on elsewhere, are left out. */
typedef int store_cell_cb(void *arg, uint64_t rowid,
	const struct store_column *c, size_t n);
int store_page_cells(struct store_source *src, store_cell_cb *cb, void *arg);

#endif
