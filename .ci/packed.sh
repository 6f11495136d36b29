#!/usr/bin/env bash
# Packs the crates that can be published, and runs the tests of what was packed, apart from the repository: those
# that need bundled recordings or Python skip, and say so.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
packed=$target/packed
crates='liaf-hdf5 liaf-data liaf-core liaf'

cargo package -q --workspace --exclude liaf-bench --no-verify --allow-dirty
rm -rf "$packed"
mkdir -p "$packed"
# The profile of the workspace, so that what it compiled is used again.
{
    printf '[workspace]\nresolver = "3"\nmembers = ["*"]\n\n[patch.crates-io]\n'
    for crate in $crates; do printf '%s = { path = "%s" }\n' "$crate" "$crate"; done
    printf '\n'
    sed -n '/^\[profile\.dev/,/^$/p' Cargo.toml
} >"$packed/Cargo.toml"
cp Cargo.lock "$packed/"
for crate in $crates; do
    tar -xzf "$(ls -t "$target/package/$crate"-[0-9]*.crate | head -1)" -C "$packed"
    mv "$packed/$crate"-[0-9]* "$packed/$crate"
done
# From outside of the repository, nothing of it is found by chance.
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
cp -r "$packed/." "$outside"
cd "$outside"
export CARGO_TARGET_DIR=$target
cargo test -q --workspace --features liaf/nir --lib
