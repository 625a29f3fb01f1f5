# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors

# lath_drops.def, then a manual page: its line "@DROPS@" becomes the list of reasons.

FNR == 1 {
	file++
}

# LATH_DROP(name, "what it means")
file == 1 && /^LATH_DROP\(/ {
	name = $0
	sub(/^LATH_DROP\(/, "", name)
	help = name
	sub(/,.*/, "", name)
	sub(/^[^"]*"/, "", help)
	sub(/"\)$/, "", help)
	gsub(/_/, "\\_", name)
	drops[++count] = "*" name "*\n\t" help "."
}

file == 2 && $0 == "@DROPS@" {
	for (i = 1; i <= count; i++)
		print drops[i] (i < count ? "\n" : "")
	next
}

file == 2
