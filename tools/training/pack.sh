#!/usr/bin/env bash
# Trains the bundled model pack anew: draws people, speaks sentences, trains every network, writes models/studio.
#
#   tools/training/pack.sh
#
# Needs Debian's python3-venv, gcc, libespeak-ng1, flite and fortunes, about 6 GB for PyTorch and 4 for pictures. Data and weights stay in
# .talkgraph/training, so that a broken-off training goes on with the step it was at; delete a file there to make it
# anew. On two idle cores: people 100 minutes; then the generator 200 on one of them and deep3d 50, parse 30, speech 7 and
# audio2exp 36 on the other; what tracking reads, an hour.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

home=${TALKGRAPH_HOME:-$PWD/.talkgraph}
work=$home/training
export OMP_NUM_THREADS=1 # one thread trains faster than two that wait for each other

say() { printf 'pack: %s (%s)\n' "$*" "$(date +%H:%M)" >&2; }

mkdir -p "$work/weights"
python=$(tools/training/environment.sh)

once() { # once FILE COMMAND…: runs the command unless the file is there already
  local file=$1
  shift
  if [ -e "$file" ]; then
    say "$file is there"
  else
    say "$*"
    "$@"
    touch "$file"
  fi
}

once "$work/people.done" "$python" -m tools.heads.data "$work/people" --pictures "${PICTURES:-8000}" --workers 2

set -m # a process group of its own, so that stopping here stops it too
once "$work/generator.done" "$python" -m tools.pack.train_generator "$work/people" "$work/weights" --minutes 200 &
generator=$!
set +m
trap 'kill -- "-$generator" 2>/dev/null || true' EXIT
once "$work/deep3d.done" "$python" -m tools.pack.train_networks deep3d "$work/people" "$work/weights" --minutes 50
once "$work/parse.done" "$python" -m tools.pack.train_networks parse "$work/people" "$work/weights" --minutes 30
once "$work/speech.done" "$python" -m tools.speech.data --out "$work/speech"
# A short training follows closures of unknown voices better, a long one vowels: their mean has both.
once "$work/audio2exp_short.done" "$python" -m tools.speech.train --data "$work/speech" --out "$work/weights/audio2exp_short.pt" --steps 2500
once "$work/audio2exp_long.done" "$python" -m tools.speech.train --data "$work/speech" --out "$work/weights/audio2exp_long.pt" --steps 12000 --seed 1
wait "$generator"

say 'writing models/studio'
"$python" -m tools.speech.export "$work"/weights/audio2exp_{short,long}.pt models/studio
"$python" -m tools.pack.studio "$work/weights" models/studio --setup "$home/models"

say 'reading expressions off rendered heads' # with the pack that is there now
cargo build --release --workspace
"$python" -m tools.tracking.train "$work/tracking" models/studio models/tiny --setup "$home/models"
