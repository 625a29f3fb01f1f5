# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
# shellcheck shell=bash
#
# What the scripts share: finding the repository, words on the screen, missing packages, builds.
# Sourced, never run.

LATH_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
LATH_BUILD=${LATH_BUILD:-$LATH_ROOT/build}
case $LATH_BUILD in /*) ;; *) LATH_BUILD=$PWD/$LATH_BUILD ;; esac
export LATH_ROOT LATH_BUILD

# Debian's own Python: it is the one that Debian's python3-* packages belong to.
PYTHON=/usr/bin/python3
export PYTHON

# An ordinary user's PATH lacks the folders that hold ip, modprobe and ethtool.
PATH=$PATH:/usr/sbin:/sbin
export PATH

# What a build needs; what the demo, scripts/bench-wire and the tests need besides.
LATH_PACKAGES_BUILD=(
	gcc
	libc6-dev
	libcurl4-openssl-dev
	libdpdk-dev
	libevent-dev
	libjansson-dev
	libmnl-dev
	libnuma-dev
	libssl-dev
	meson
	ninja-build
	pkg-config
	python3
)
LATH_PACKAGES_DEMO=(
	curl
	iproute2
	util-linux
)
LATH_PACKAGES_WIRE=(
	coreutils
	dpdk-dev
	util-linux
)
LATH_PACKAGES_TEST=(
	clang-14
	clang-format-14
	curl
	dpdk-dev
	ethtool
	iperf3
	iproute2
	iputils-ping
	libclang-rt-14-dev
	libcmocka-dev
	lua5.4
	netcat-openbsd
	procps
	python3-jsonschema
	python3-pytest
	python3-scapy
	scdoc
	shellcheck
	traceroute
	universal-ctags
	util-linux
)

if [[ -t 1 ]]; then
	BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
	BOLD='' DIM='' RED='' GREEN='' YELLOW='' PLAIN=''
fi

# say TEXT...: one line for the reader.
say() {
	printf '%s\n' "$*"
}

# warn TEXT...: a line that somebody should read.
warn() {
	printf '%s%s%s\n' "$YELLOW" "$*" "$PLAIN" >&2
}

# die WHY [HOW TO MEND IT...]: the end, with the way out.
die() {
	printf '%serror:%s %s\n' "$RED$BOLD" "$PLAIN" "$1" >&2
	shift
	local line
	for line in "$@"; do
		printf '  mend: %s\n' "$line" >&2
	done
	exit 1
}

# missing_packages NAME...: prints those that dpkg does not know as installed.
missing_packages() {
	command -v dpkg-query >/dev/null || return 0
	local installed name
	# dpkg-query fails when it has never heard of one of the names; the others are still printed.
	installed=" $(dpkg-query -W -f='${db:Status-Status}=${Package} ' "$@" 2>/dev/null || true)"
	for name in $(printf '%s\n' "$@" | sort -u); do
		[[ $installed == *" installed=$name "* ]] || printf '%s\n' "$name"
	done
}

# install_packages NAME...: installs what is missing; root rights only where something is.
install_packages() {
	local missing as_root=() log
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]} > 0)) || return 0
	command -v apt-get >/dev/null || die "missing: ${missing[*]}" \
		"this machine has no apt-get; install what these Debian packages hold"
	if ((EUID != 0)); then
		command -v sudo >/dev/null || die "missing packages and no sudo: ${missing[*]}" \
			"as root: apt-get install ${missing[*]}"
		as_root=(sudo)
	fi
	say "installing ${#missing[@]} Debian packages: ${missing[*]}"
	log=$(mktemp)
	if ! { apt_install "${missing[@]}" || { apt_update && apt_install "${missing[@]}"; }; } \
		>"$log" 2>&1; then
		tail -n 15 "$log" >&2
		rm -f "$log"
		die "apt-get could not install: ${missing[*]}" \
			"see above; by hand: ${as_root[*]} apt-get install ${missing[*]}"
	fi
	rm -f "$log"
}

# Only for install_packages, whose as_root they see.
apt_install() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install "$@" </dev/null
}
apt_update() {
	"${as_root[@]}" apt-get -q update </dev/null
}

# program NAME [DIR]: where the build left lathd or lathctl; fails when it did not.
program() {
	local path=${2:-$LATH_BUILD}/app/$1
	[[ ! -d $path ]] || path=$path/$1
	[[ -x $path ]] && say "$path"
}

# build DIR [MESON OPTION...]: sets up when new, tells an old folder other options, compiles.
# What the compiler says lies in DIR/build.log and is shown when it fails.
build() {
	local dir=$1 setup=()
	shift
	if [[ -f $dir/build.ninja && ! -w $dir ]]; then
		program lathd "$dir" >/dev/null || die "$dir is somebody else's and holds no lathd" \
			"set LATH_BUILD to a folder of your own"
		return 0
	fi
	mkdir -p "$dir" || die "cannot write $dir" "set LATH_BUILD to a folder of your own"
	if [[ ! -f $dir/build.ninja ]]; then
		setup=(meson setup "$dir" "$LATH_ROOT" "$@")
	elif (($# > 0)) && [[ "$*" != "$(cat "$dir/options" 2>/dev/null)" ]]; then
		setup=(meson configure "$dir" "$@")
	fi
	: >"$dir/build.log"
	if ((${#setup[@]} > 0)); then
		"${setup[@]}" >>"$dir/build.log" 2>&1 </dev/null || {
			tail -n 30 "$dir/build.log" >&2
			return 1
		}
		printf '%s' "$*" >"$dir/options"
	fi
	ninja -C "$dir" >>"$dir/build.log" 2>&1 </dev/null || {
		grep -E -A 12 '(^| )(error:|ERROR:|FAILED:)' "$dir/build.log" | cut -c1-300 | head -n 60 >&2
		return 1
	}
}
