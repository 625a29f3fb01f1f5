/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "model_private.h"

/* The algorithm is fetched once: SHA256() of OpenSSL 3 looks it up on every call, which costs more
 * than hashing an identity does.
 */
struct digester {
	EVP_MD *sha256;
	EVP_MD_CTX *ctx;
};

struct digester *
lath_model_digester_create(void)
{
	struct digester *digester = calloc(1, sizeof(*digester));

	if (digester == NULL)
		return lath_null(ENOMEM);
	digester->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	digester->ctx = EVP_MD_CTX_new();
	if (digester->sha256 == NULL || digester->ctx == NULL) {
		lath_model_digester_free(digester);
		return lath_null(ENOMEM);
	}
	return digester;
}

void
lath_model_digester_free(struct digester *digester)
{
	if (digester == NULL)
		return;
	EVP_MD_CTX_free(digester->ctx);
	EVP_MD_free(digester->sha256);
	free(digester);
}

int
lath_model_digester_run(struct digester *digester, const char *text, struct digest *out)
{
	uint8_t whole[EVP_MAX_MD_SIZE];

	if (EVP_DigestInit_ex2(digester->ctx, digester->sha256, NULL) != 1 ||
			EVP_DigestUpdate(digester->ctx, text, strlen(text)) != 1 ||
			EVP_DigestFinal_ex(digester->ctx, whole, NULL) != 1)
		return lath_err(EIO);
	memcpy(out->bytes, whole, sizeof(out->bytes));
	return 0;
}

uint64_t
lath_model_digest_key(const struct digest *digest)
{
	uint64_t key = 0;

	for (unsigned i = 0; i < 8; i++)
		key = key << 8 | digest->bytes[i];
	return key;
}
