#!/usr/bin/env bash
# Packs the crates, and runs the tests of what was packed, apart from the repository and without optional features:
# those that need bundled recordings or Python skip, and say so.
set -euo pipefail
cd "$(dirname "$0")/.."

repository=$PWD
target=${CARGO_TARGET_DIR:-$PWD/target}
packed=$target/packed
libraries='liaf-hdf5 liaf-data liaf-core liaf'

cargo package -q --workspace --exclude liaf-bench --no-verify --allow-dirty
rm -rf "$packed"
mkdir -p "$packed"
# The profile of the workspace, so that what it compiled is used again.
{
    printf '[workspace]\nresolver = "3"\nmembers = ["*"]\n\n[patch.crates-io]\n'
    for crate in $libraries; do printf '%s = { path = "%s" }\n' "$crate" "$crate"; done
    printf '\n'
    sed -n '/^\[profile\.dev/,/^$/p' Cargo.toml
} >"$packed/Cargo.toml"
cp Cargo.lock "$packed/"
for crate in $libraries liaf-cli; do
    tar -xzf "$(ls -t "$target/package/$crate"-[0-9]*.crate | head -1)" -C "$packed"
    mv "$packed/$crate"-[0-9]* "$packed/$crate"
    # No source is missing that only builds with more features would need.
    (cd "$repository" && git ls-files "$crate/src" "$crate/examples") | while read -r file; do
        test -e "$packed/$file" || { echo "$file is not packed"; exit 1; }
    done
done
# From outside of the repository, nothing of it is found by chance.
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
cp -r "$packed/." "$outside"
cd "$outside"
export CARGO_TARGET_DIR=$target
# What only other features use is a warning here.
cargo test --workspace --no-default-features --lib --no-run 2>&1 | tee "$packed/log"
! grep -q '^warning: `.*generated' "$packed/log" || { echo 'warnings without optional features'; exit 1; }
cargo test -q --workspace --no-default-features --lib
cargo build -q -p liaf-cli --no-default-features
cp "$target/debug/liaf" "$packed/plain"
cd "$repository"
# As `make test` compiled it.
LIAF_PLAIN=$packed/plain cargo test -q --workspace --features liaf/nir --test suite kinds::
