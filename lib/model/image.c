/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>
#include <string.h>

#include "model_private.h"

struct image *
lath_model_image_create(size_t size)
{
	struct image *image;

	if (size > UINT32_MAX)
		return lath_null(ENOMEM);
	image = calloc(1, sizeof(*image) + size);
	if (image == NULL)
		return lath_null(ENOMEM);
	image->refs = 1;
	image->size = (uint32_t)size;
	return image;
}

struct image *
lath_model_image_get(struct image *image)
{
	if (image != NULL)
		image->refs++;
	return image;
}

void
lath_model_image_put(struct image *image)
{
	if (image == NULL || --image->refs > 0)
		return;
	free(image);
}

void
lath_model_image_settle(struct image **place, struct image *fresh, uint64_t *next_stamp)
{
	const struct image *old = *place;

	if (old != NULL && fresh != NULL && old->size == fresh->size &&
			memcmp(old->bytes, fresh->bytes, old->size) == 0) {
		lath_model_image_put(fresh);
		return;
	}
	if (fresh != NULL)
		fresh->stamp = (*next_stamp)++;
	lath_model_image_put(*place);
	*place = fresh;
}

void *
lath_model_image_carve(struct image *image, size_t *used, void *field, size_t count, size_t size)
{
	uintptr_t offset = *used;

	if (count == 0)
		offset = 0;
	/* `field` is a pointer of any type: its bytes become the offset. */
	memcpy(field, &offset, sizeof(offset));
	*used += IMAGE_ROOM(count, size);
	return image->bytes + (count == 0 ? 0 : offset);
}
