#!/usr/bin/env bash
# Builds FILTERS twice from the same commit, each time in another folder with another CARGO_HOME, and compares the packed
# modules. Exit code 1 if one differs. BACKSTOP packs them. Run by `make reproducible`.
set -euo pipefail
cd "$(dirname "$0")/.."
BACKSTOP=$(realpath "$1")
shift
work=$(mktemp -d "$PWD/target/reproducible.XXXXXX")
trap 'rm -rf "$work"' EXIT
home=${CARGO_HOME:-$HOME/.cargo}
git diff --quiet HEAD || echo "reproducible: changes that are not committed are left out" >&2

# build FOLDER CARGO_HOME: the packed modules end in FOLDER/packed.
build() {
    mkdir -p "$1"
    git archive HEAD | tar -x -C "$1"
    # Another make may have exported flags with this folder in them.
    env -u MAKEFLAGS -u MAKELEVEL -u CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS -u CARGO_TARGET_DIR CARGO_HOME="$2" \
        make -C "$1" --no-print-directory wasm FILTERS="${*:3}" >"$1.log" 2>&1 || { tail -20 "$1.log" >&2; exit 2; }
    for filter in "${@:3}"; do
        "$BACKSTOP" pack "$1/target/wasm32-wasip1/release/backstop_${filter//-/_}_filter.wasm" -o "$1/packed/$filter.wasm" >/dev/null
    done
    rm -rf "$1/target"
}

build "$work/one" "$home" "$@"
# Nothing is downloaded again: the crates are linked, the folder is another one.
mkdir -p "$work/another/home"
cp -al "$home/registry" "$work/another/home/registry" 2>/dev/null || cp -a "$home/registry" "$work/another/home/"
for config in config config.toml; do
    [ ! -f "$home/$config" ] || cp "$home/$config" "$work/another/home/"
done
build "$work/another/folder/deeper" "$work/another/home" "$@"

differ=0
for filter in "$@"; do
    one=$(sha256sum <"$work/one/packed/$filter.wasm" | cut -d' ' -f1)
    another=$(sha256sum <"$work/another/folder/deeper/packed/$filter.wasm" | cut -d' ' -f1)
    if [ "$one" = "$another" ]; then
        echo "$filter sha256:$one twice"
    else
        echo "$filter sha256:$one and sha256:$another: DIFFER"
        differ=1
    fi
    if grep -aqE "$work|$home/" "$work/one/packed/$filter.wasm"; then
        echo "$filter names a folder of this machine"
        differ=1
    fi
done
exit $differ
