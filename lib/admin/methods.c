/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "admin_private.h"

static const struct lath_admin_method rows[] = {
#define LATH_ADMIN_METHOD(function, name, kind, params) \
	{name, LATH_ADMIN_##kind, params, lath_admin_##function},
#include "lath_admin_methods.def"
#undef LATH_ADMIN_METHOD
};

const struct lath_admin_methods lath_admin_methods = {rows, LATH_ARRAY_SIZE(rows)};
