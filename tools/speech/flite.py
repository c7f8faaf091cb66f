"""flite (CMU): four small recorded voices whose phone times are the cleanest of all; they come 5 ms late."""

import os
import re
import subprocess
import tempfile

from . import phones, wav

_LATE = 0.005
# Mean pitch in Hz of each voice; slt is a woman.
VOICES = {"slt": 172.0, "rms": 101.0, "awb": 137.0, "kal16": 105.0}
_WEIGHTS = (0.42, 0.22, 0.22, 0.14)


def speak(text, rng, voice=None, stretch=None):
    """One sentence: `(samples at 16 kHz, segments)`; voice and tempo are random unless given."""
    voice = voice or str(rng.choice(list(VOICES), p=_WEIGHTS))
    stretch = stretch or rng.uniform(0.85, 1.3)
    pitch = VOICES[voice] * rng.uniform(0.85, 1.2)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "speech.wav")
        options = ["--setf", f"duration_stretch={stretch:.3f}", "--setf", f"int_f0_target_mean={pitch:.1f}"]
        command = ["flite", "-voice", voice, *options, "-psdur", "-t", text, "-o", path]
        try:
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        except FileNotFoundError as error:
            raise RuntimeError("flite: not installed\nhint: apt-get install flite") from error
        samples = wav.read(path)
    timed, start = [], 0.0
    for name, end in re.findall(r"(\S+):([0-9.]+)", printed):
        end = float(end) - _LATE
        timed.append((start, end, phones.ARPABET[name.lower()]))
        start = end
    return samples, phones.split(timed)
