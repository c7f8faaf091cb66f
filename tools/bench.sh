#!/usr/bin/env bash
# Times what should take no time: cached runs, and checking, planning and drawing a graph of 1,000 nodes.
#
#   tools/bench.sh [target/release/talkgraph]
#
# Prints the median and the fastest of 20 runs in milliseconds, whole process, against `true` as the cost of starting one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
talkgraph=${1:-target/release/talkgraph}
runs=20

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TALKGRAPH_CACHE=$scratch/cache

# A chain of 1,000 nodes that need no models: a small picture is written and read again and again.
long=$scratch/long.yaml
{
  printf 'talkgraph: 1\ninputs: { photo: image }\nnodes:\n'
  printf '  w0: { type: write_image, in: { image: photo }, params: { width: 16 } }\n'
  for ((i = 1; i < 500; i++)); do
    printf '  r%d: { type: image_decode, in: { file: w%d.file } }\n' $i $((i - 1))
    printf '  w%d: { type: write_image, in: { image: r%d.image } }\n' $i $i
  done
  printf 'outputs: { picture: w499.file }\n'
} >"$long"

now() { printf '%s' "${EPOCHREALTIME/./}"; }

measure() { # measure NAME COMMAND…
  local name=$1 times=() start i
  shift
  "$@" >/dev/null 2>"$scratch/said" || {
    cat "$scratch/said" >&2
    printf '%-44s failed\n' "$name"
    return 0
  }
  for ((i = 0; i < runs; i++)); do
    start=$(now)
    "$@" >/dev/null 2>&1
    times+=($(($(now) - start)))
  done
  printf '%s\n' "${times[@]}" | sort -n |
    awk -v name="$name" '{ t[NR] = $1 / 1000 } END { printf "%-44s median %7.1f ms   fastest %7.1f ms\n", name, t[int((NR + 1) / 2)], t[1] }'
}

speech=graphs/media/speech.wav
portrait=graphs/media/portrait.png
measure 'starting a process (true)' /bin/true
measure 'check graphs/from_image.yaml' "$talkgraph" check graphs/from_image.yaml
measure 'check, 1,000 nodes' "$talkgraph" check "$long"
measure 'dot, 1,000 nodes' "$talkgraph" dot "$long"
measure 'cached run, graphs/examples/mel.yaml' "$talkgraph" run -q graphs/examples/mel.yaml -i speech=$speech
measure 'cached run, 1,000 nodes' "$talkgraph" run -q "$long" -i photo=$portrait
measure 'plan, 1,000 nodes' "$talkgraph" plan "$long" -i photo=$portrait
if [ -f demo.mp4 ]; then
  unset TALKGRAPH_CACHE # the demo's results are in the user's own cache
  measure 'cached run, the demo' "$talkgraph" run -q graphs/from_image.yaml -i portrait=$portrait -i speech=$speech
fi
