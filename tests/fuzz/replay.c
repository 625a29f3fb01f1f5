/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The main program of a fuzz target where there is no libFuzzer: runs the target once on every
 * file that is named, and on every file of every folder that is named.
 */

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

/* False and a message when the file cannot be read. */
static bool
run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat stat;
	uint8_t *data;
	bool good;

	if (file == NULL || fstat(fileno(file), &stat) != 0) {
		perror(path);
		if (file != NULL)
			fclose(file);
		return false;
	}
	/* Exactly as long as the input, so that ASAN sees one read too many. */
	data = malloc(stat.st_size == 0 ? 1 : (size_t)stat.st_size);
	good = data != NULL && fread(data, 1, (size_t)stat.st_size, file) == (size_t)stat.st_size;
	fclose(file);
	if (good)
		LLVMFuzzerTestOneInput(data, (size_t)stat.st_size);
	else
		fprintf(stderr, "%s: cannot be read\n", path);
	free(data);
	return good;
}

/* How many files were run; -1: one could not be. */
static int
run_folder(DIR *folder, const char *path)
{
	const struct dirent *entry;
	int count = 0;

	while ((entry = readdir(folder)) != NULL) {
		char name[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (!run_file(name))
			return -1;
		count++;
	}
	return count;
}

int
main(int argc, char *argv[])
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);
		int count = folder != NULL          ? run_folder(folder, argv[i])
				: run_file(argv[i]) ? 1
						    : -1;

		if (folder != NULL)
			closedir(folder);
		if (count < 0)
			return 1;
		total += count;
	}
	printf("%d inputs\n", total);
	return total == 0; /* an empty corpus is a mistake */
}
