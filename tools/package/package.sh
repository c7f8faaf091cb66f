#!/usr/bin/env bash
# Builds packages of what `make build` made and set-up fetched, in target/package: a Debian package and a Python wheel.
#
#   tools/package/package.sh [deb] [wheel]      both without arguments
#
# Both are for systems like this one: FFmpeg comes from the system, by the versions of its libraries.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=$PWD/target/package
say() { printf 'package: %s\n' "$*"; }

stage() { # stage PREFIX: what is installed, with programs stripped
  rm -rf "$out/stage"
  DESTDIR=$out/stage PREFIX=$1 tools/install.sh >/dev/null
  strip "$out/stage$1/bin/talkgraph" "$out/stage$1/lib/talkgraph/talkgraph-media"
}

deb() {
  command -v cargo-deb >/dev/null || cargo install --locked --version 3.8.0 cargo-deb
  stage /usr
  cargo deb --no-build --no-strip --quiet --output "$out"
}

wheel() {
  [ -x "$out/venv/bin/maturin" ] || {
    python3 -m venv "$out/venv"
    "$out/venv/bin/pip" install --quiet --disable-pip-version-check 'maturin==1.16.0'
  }
  stage /data
  # What maturin does not make: everything but the command itself and ONNX Runtime.
  rm -rf "$out/talkgraph.data"
  mkdir -p "$out/talkgraph.data/data/lib/talkgraph"
  cp "$out/stage/data/lib/talkgraph/talkgraph-media" "$out/talkgraph.data/data/lib/talkgraph/"
  cp -r "$out/stage/data/share" "$out/talkgraph.data/data/"
  (cd tools/package && PATH=$out/venv/bin:$PATH maturin build --release --quiet --compatibility linux --out "$out")
}

mkdir -p "$out"
for kind in ${*:-deb wheel}; do
  case $kind in
    deb | wheel) say "$kind" && "$kind" ;;
    *) say "unknown package $kind; usage: tools/package/package.sh [deb] [wheel]" >&2 && exit 2 ;;
  esac
done
ls -l "$out"/*.deb "$out"/*.whl 2>/dev/null || true
