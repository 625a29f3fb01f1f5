/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Aligned columns: text to the left, numbers to the right, two blanks between, no frames, so that
 * grep, awk and people read the same thing. Out of memory ends the program: nothing is half shown.
 */

#include <stdlib.h>
#include <string.h>

#include "lathctl.h"

struct lathctl_table {
	unsigned columns;
	size_t cell_count;
	size_t cell_size;
	char **cells; /* the first row: titles */
	bool *right;
};

static void *
must(void *memory)
{
	if (memory != NULL)
		return memory;
	fputs("lathctl: memory is short\n", stderr);
	exit(LATHCTL_FAILED);
}

struct lathctl_table *
lathctl_table_create(unsigned columns)
{
	struct lathctl_table *table = must(calloc(1, sizeof(*table)));

	table->columns = columns;
	table->right = must(calloc(columns, sizeof(*table->right)));
	return table;
}

void
lathctl_table_free(struct lathctl_table *table)
{
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->right);
	free(table);
}

void
lathctl_table_column(struct lathctl_table *table, unsigned column, const char *title, bool right)
{
	table->right[column] = right;
	lathctl_table_cell(table, title);
}

void
lathctl_table_cell(struct lathctl_table *table, const char *text)
{
	char *cell = must(strdup(text[0] == '\0' ? "-" : text));

	if (table->cell_count == table->cell_size) {
		table->cell_size = table->cell_size * 2 + 64;
		table->cells = must(realloc(table->cells,
				table->cell_size * sizeof(*table->cells)));
	}
	/* What comes from a configuration must not drive the terminal. */
	for (char *c = cell; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	table->cells[table->cell_count++] = cell;
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static size_t
width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
	return width;
}

static void
pad(FILE *out, size_t count)
{
	while (count-- > 0)
		putc(' ', out);
}

void
lathctl_table_print(const struct lathctl_table *table, FILE *out)
{
	size_t *widths = must(calloc(table->columns, sizeof(*widths)));

	for (size_t i = 0; i < table->cell_count; i++) {
		size_t width = width_of(table->cells[i]);

		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	for (size_t i = 0; i < table->cell_count; i++) {
		size_t column = i % table->columns;
		size_t room = widths[column] - width_of(table->cells[i]);
		bool last = column + 1 == table->columns;

		if (table->right[column])
			pad(out, room);
		fputs(table->cells[i], out);
		if (!table->right[column] && !last)
			pad(out, room);
		fputs(last ? "\n" : "  ", out);
	}
	free(widths);
}
