#!/usr/bin/env bash
# Copies what was built and set up into the layout that talkgraph finds its parts by, wherever the tree is moved to later:
#
#   PREFIX/bin/talkgraph
#   PREFIX/lib/talkgraph/      ONNX Runtime's library, the media program where it was built
#   PREFIX/share/talkgraph/    models/ networks/ graphs/ schema/
#   PREFIX/share/man, PREFIX/share/{bash-completion,zsh,fish}/… where shells look
#
#   tools/install.sh [--build FOLDER] [--home FOLDER]     PREFIX and DESTDIR from the environment
#
# --build is the folder of the programs (target/release), --home what set-up filled ($TALKGRAPH_HOME, else .talkgraph).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/target/release
home=${TALKGRAPH_HOME:-$root/.talkgraph}
prefix=${PREFIX:-/usr/local}

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case "$1" in
    --build) build=${2:?--build wants a folder} && shift 2 ;;
    --home) home=${2:?--home wants a folder} && shift 2 ;;
    *) fail "unknown argument $1; see the head of tools/install.sh" ;;
  esac
done
case $prefix in /*) ;; *) fail "PREFIX: expected an absolute path, found $prefix" ;; esac
[ -x "$build/talkgraph" ] || fail "$build/talkgraph is missing: run make build"

to=${DESTDIR:-}$prefix
lib=$to/lib/talkgraph
share=$to/share/talkgraph

put() { install -D -m "$1" "$2" "$3"; }

# Whole folders are laid anew, so that nothing of an older version stays.
rm -rf "$lib" "$share"
put 755 "$build/talkgraph" "$to/bin/talkgraph"
mkdir -p "$lib" "$share/networks"
if [ -x "$build/talkgraph-media" ]; then
  put 755 "$build/talkgraph-media" "$lib/talkgraph-media"
fi

library=$(find "$home/lib" -maxdepth 1 -name 'libonnxruntime.so.*' 2>/dev/null | sort -V | tail -n 1)
if [ -n "$library" ]; then
  put 644 "$library" "$lib/$(basename "$library")"
else
  printf 'install: no ONNX Runtime in %s/lib: graphs with models need TALKGRAPH_HOME or ORT_DYLIB_PATH\n' "$home" >&2
fi
for network in "$home"/models/*.onnx; do
  [ -f "$network" ] && put 644 "$network" "$share/networks/$(basename "$network")"
done

(cd "$root" && find models graphs -type f -print0) |
  while IFS= read -r -d '' file; do put 644 "$root/$file" "$share/$file"; done
# The schema lies elsewhere here.
find "$share/graphs" -name '*.yaml' -exec sed -i 's|^\(# yaml-language-server: $schema=[./]*\)docs/|\1schema/|' {} +
put 644 "$root/docs/graph.schema.json" "$share/schema/graph.schema.json"
for file in README.md LICENSE-APACHE LICENSE-MIT NOTICE; do
  put 644 "$root/$file" "$to/share/doc/talkgraph/$file"
done

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
"$build/talkgraph" man --to "$made/man"
for page in "$made"/man/*.1; do put 644 "$page" "$to/share/man/man1/$(basename "$page")"; done
completions() { # completions SHELL FILE
  "$build/talkgraph" completions "$1" >"$made/$1"
  put 644 "$made/$1" "$to/share/$2"
}
completions bash bash-completion/completions/talkgraph
completions zsh zsh/site-functions/_talkgraph
completions fish fish/vendor_completions.d/talkgraph.fish
printf 'install: %s\n' "$to"
