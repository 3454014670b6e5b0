#!/bin/sh
# Runs everything that needs a GPU on a bare Linux machine (x86-64, no network).
#
#   tools/gpu_run.sh pack [folder]   here, with a network: collect what the other machine lacks
#   tools/gpu_run.sh [folder]        there: unpack, test, measure
#
# The folder (default .gpu) holds the Deno runtime, bubblewrap with its
# libraries, and the npm packages, compressed. Results go to $OUT, or dist/gpu.
set -eu

cd "$(dirname "$0")/.."

pack() {
	folder=$1
	mkdir -p "$folder"
	work=$(mktemp -d)
	xz -T0 -7 -c "$(deno eval 'console.log(Deno.execPath())')" >"$folder/deno.xz"
	mkdir -p "$work/bwrap/lib"
	cp "$(command -v bwrap)" "$work/bwrap/"
	ldd "$work/bwrap/bwrap" | awk '/=> \// { print $3 }' | while read -r library; do
		case "$library" in
		*/libc.so.*) ;;
		*) cp "$library" "$work/bwrap/lib/" ;;
		esac
	done
	tar -C "$work" -cJf "$folder/bwrap.tar.xz" bwrap
	DENO_DIR="$work/deno" deno cache --quiet mod.ts bench/gpu.ts tests/gpu/*_test.ts src/bundle/bundle_plugin.ts
	rm -rf "$work/deno/gen" "$work"/deno/*_cache_v* "$work"/deno/npm/*/.cache
	tar -C "$work" -cJf "$folder/packages.tar.xz" deno
	rm -rf "$work"
	du -sh "$folder"
}

# What of the machine the driver needs to see: everything, then without one thing at a time.
needs() {
	nodes=$(ls -d /dev/nvidia[0-9]* /dev/nvidiactl /dev/nvidia-uvm /dev/nvidia-uvm-tools /dev/nvidia-modeset /dev/dri 2>/dev/null || true)
	for without in nothing /proc /sys /etc $nodes; do
		set -- --ro-bind / / --bind "${TMPDIR:-/tmp}" "${TMPDIR:-/tmp}" --dev /dev
		for node in $nodes; do
			[ "$node" = "$without" ] || set -- "$@" --dev-bind "$node" "$node"
		done
		case "$without" in
		/proc | /sys | /etc) set -- "$@" --tmpfs "$without" ;;
		esac
		printf '%s\t' "$without"
		bwrap "$@" "$(command -v deno)" run -A --cached-only --no-check tests/gpu/needs.ts \
			"${TMPDIR:-/tmp}/cordon-gpu-needs" 2>&1 | tail -1
	done
}

run() {
	folder=$1
	out=${OUT:-dist/gpu}
	place=${TMPDIR:-/tmp}/cordon-gpu
	mkdir -p "$out" "$place/bin"
	# Everybody must reach the runtime: sandboxes run as an account without rights.
	chmod 755 "$place" "$place/bin"
	xz -dc "$folder/deno.xz" >"$place/bin/deno"
	tar -C "$place" -xJf "$folder/bwrap.tar.xz"
	tar -C "$place" -xJf "$folder/packages.tar.xz"
	chmod 755 "$place/bin/deno" "$place/bwrap/bwrap"
	if ! command -v bwrap >/dev/null; then
		cp "$place/bwrap/bwrap" /usr/local/bin/bwrap
		for library in "$place"/bwrap/lib/*; do
			ldconfig -p | grep -q "$(basename "$library")" || cp "$library" /usr/local/lib/
		done
		ldconfig
	fi
	export PATH="$place/bin:/usr/local/bin:$PATH" DENO_DIR="$place/deno" DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
	{
		date -u
		uname -a
		nvidia-smi || true
		ls -l /dev/nvidia* 2>&1 || true
		deno --version
		bwrap --version
	} 2>&1 | tee "$out/machine.txt"
	status=0
	deno run -A --cached-only src/cli/main.ts doctor >"$out/doctor.txt" 2>&1 || true
	cat "$out/doctor.txt"
	deno test -A --cached-only --no-check tests/gpu >"$out/tests.txt" 2>&1 || status=$?
	cat "$out/tests.txt"
	# The same without a sandbox tells the driver's limits from those of the sandbox.
	CORDON_GPU_SANDBOX=permissions-only deno test -A --cached-only --no-check tests/gpu/hardware_test.ts \
		>"$out/tests-unconfined.txt" 2>&1 || status=$?
	echo "without a sandbox" && cat "$out/tests-unconfined.txt"
	needs >"$out/needs.txt" 2>&1 || true
	echo "without	the driver" && cat "$out/needs.txt"
	deno run -A --cached-only --no-check bench/gpu.ts >"$out/benchmarks.md" 2>&1 || status=$?
	cat "$out/benchmarks.md"
	return "$status"
}

case "${1:-}" in
pack) pack "${2:-.gpu}" ;;
*) run "${1:-.gpu}" ;;
esac
