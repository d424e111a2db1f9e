#!/usr/bin/env bash
# Fuzzes TARGETS (default: all) for SECONDS each, one after the other, and prints what came of it. Run by `make fuzz`.
# Inputs that were found and what they break stay in target/fuzz; the next run goes on from there.
set -euo pipefail
cd "$(dirname "$0")/.."
SECONDS_EACH=${1:-600}
shift || true
rustup toolchain list | grep -q ^nightly || rustup toolchain install nightly --profile minimal
cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet cargo-fuzz
TARGETS=${*:-$(cargo +nightly fuzz list --fuzz-dir fuzz)}
OUT=target/fuzz
mkdir -p "$OUT/logs"
# Ours is safe Rust, so no sanitizer: three times the executions.
build=(cargo +nightly fuzz build --fuzz-dir fuzz --target-dir "$OUT" -s none --features libfuzzer)
"${build[@]}"
triple=$(rustc +nightly -vV | sed -n 's/^host: //p')

# The last number that follows WORD in the log of TARGET.
last() { grep -ao "$1:* *[0-9]*" "$OUT/logs/$2" | grep -o '[0-9]*$' | tail -1; }

table=$(printf '%-20s %12s %8s %9s %8s %9s\n' target executions exec/s coverage corpus findings)
found=0
for target in $TARGETS; do
    mkdir -p "$OUT/corpus/$target" "$OUT/findings/$target"
    cargo run --quiet --manifest-path fuzz/Cargo.toml --target-dir "$OUT/seeds-tool" --example seeds -- \
        "$target" "$OUT/seeds/$target" "$OUT/dictionary"
    before=$(find "$OUT/findings/$target" -type f | wc -l)
    # One worker that goes on after a finding. 10 s and 1 GiB per input are bounds on work as well.
    # libFuzzer's exit code is its last job's; what counts is in the folder.
    "$OUT/$triple/release/$target" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 \
        -max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -dict="$OUT/dictionary" \
        -artifact_prefix="$OUT/findings/$target/" "$OUT/corpus/$target" "$OUT/seeds/$target" \
        >"$OUT/logs/$target" 2>&1 || true
    executions=$(last '^#' "$target")
    findings=$(($(find "$OUT/findings/$target" -type f | wc -l) - before))
    found=$((found + findings))
    row=$(printf '%-20s %12s %8s %9s %8s %9s' "$target" "$executions" $((executions / SECONDS_EACH)) \
        "$(last cov "$target")" "$(last corp "$target")" "$findings")
    echo "$row"
    table+=$'\n'$row
done
printf '\n%s\n' "$table"
if [ "$found" -gt 0 ]; then
    echo "$found inputs break a promise: $OUT/findings"
    exit 1
fi
