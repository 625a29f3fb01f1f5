/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <rte_version.h>

#include "admin_private.h"

void
lath_admin_version(struct lath_admin_call *call)
{
	json_t *result = json_object();

	lath_admin_put_text(result, "version", LATH_VERSION);
	lath_admin_put_text(result, "dpdk", rte_version());
	lath_admin_finish(call, result);
}
