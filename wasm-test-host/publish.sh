#!/usr/bin/env bash
# Publishes FILTERS from target/modules to REGISTRY/FILTER:TAG, each with its SBOM, and prints a table of what to pin.
# target/published.txt gets a line `FILTER=oci://…@sha256:…` for each: istio/pin ENV $(cat target/published.txt)
# LAYOUT=artifact, SOURCE=https://… and PUBLISH_FLAGS (--insecure, --username …) are handed on. Run by `make publish`.
set -euo pipefail
cd "$(dirname "$0")/.."
REGISTRY=${1#oci://} TAG=$2
shift 2
if [ -z "$REGISTRY" ] || [ -z "$TAG" ]; then
    echo "usage: make publish REGISTRY=registry.example.com/backstop TAG=0.1.0" >&2
    exit 2
fi
# What is published says which commit it is: the same commit, the same digest. Without git it says nothing.
annotations=(--licenses "$(sed -n 's/^license = "\(.*\)"$/\1/p' Cargo.toml)")
if revision=$(git rev-parse HEAD 2>/dev/null); then
    git diff --quiet HEAD || { revision=$revision-dirty; echo "publish: there are changes that are not committed" >&2; }
    annotations+=(--revision "$revision"
        --created "$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)")
    # Only an address that anybody may see, without the name and the password in it.
    SOURCE=${SOURCE:-$(git config --get remote.origin.url | sed -n 's#^https://\([^@/]*@\)\{0,1\}#https://#p')}
fi
[ -z "${SOURCE:-}" ] || annotations+=(--source "$SOURCE")
backstop=target/debug/backstop
: >target/published.partial
for filter in "$@"; do
    module=target/modules/$filter.wasm
    $backstop sbom "backstop-$filter-filter" --module "$module" -o "target/modules/$filter.cdx.json"
    # shellcheck disable=SC2086  # PUBLISH_FLAGS are several words
    pin=$($backstop publish --layout "${LAYOUT:-compat}" "${annotations[@]}" --schema "filters/$filter/config.schema.json" \
        --sbom "target/modules/$filter.cdx.json" ${PUBLISH_FLAGS:-} "oci://$REGISTRY/$filter:$TAG" "$module" 2>target/publish.log) ||
        { cat target/publish.log >&2; exit 2; }
    echo "$filter=$pin" >>target/published.partial
done
mv target/published.partial target/published.txt
echo "$REGISTRY, tag $TAG:"
while IFS='=' read -r filter pin; do printf '%-15s %s\n' "$filter" "${pin#*@}"; done <target/published.txt
echo "target/published.txt holds them: istio/pin ENV \$(cat target/published.txt)"
