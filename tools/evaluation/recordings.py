"""Recordings of people who speak, with phoneme times by an aligner; none of them was trained on.

`librivox`, `commands` and `prompts` were watched while networks, scales and the places of a frame (`mel.SHIFT`) were chosen, so that their figures
flatter. Nothing was chosen by `phrases` and `address`: keep it so. Texts are what is heard, in words of the aligner's dictionary.
"""

import pathlib
import subprocess
from dataclasses import dataclass

import numpy as np

from ..speech import FRAME_SAMPLES, SAMPLE_RATE, align, background, visemes, wav

TEST_DATA = pathlib.Path("/usr/share/pocketsphinx/test/data")
PROMPTS = pathlib.Path("/usr/share/asterisk/sounds/en_US_f_Allison")
SOUNDS = (".wav", ".mp3", ".flac", ".ogg", ".m4a")
_PAUSE = 10 * FRAME_SAMPLES  # between the clips of a set

# A woman, studio: Debian's asterisk-core-sounds-en-g722.
_PROMPT_TEXTS = {
    "demo-echotest": "you are about to enter an echo test in this mode everything you say will be repeated back to you just as soon as it "
    "is received the purpose of this test is to give you an audible sense of the latency between you and the machine that is running the "
    "echo test application you may end the test by hanging up or by pressing the pound key",
    "queue-periodic-announce": "all of our representatives are currently busy please stay on the line and your call will be answered by "
    "the next available representative",
    "ss-noservice": "the number you have dialed is not in service please check the number and try again",
    "tt-allbusy": "all representatives of the household are currently assisting other telemarketers please hold and your call will be "
    "answered in the order it was received",
    "vm-dialout": "please wait while i connect your call",
}
# A man: phrases of Debian's pocketsphinx-testdata (raw, 16 kHz).
_PHRASE_TEXTS = {
    "numbers.raw": "thirty three four oh six ninety two",
    "goforward.raw": "go forward ten meters",
    "something.raw": "go somewhere and do something",
    "tidigits/dhd.2934z.raw": "two nine three four zero",
}
# A man, outdoors, 1961: whisper.cpp's sample in the source package of PyPI's pywhispercpp (tools/evaluation/setup.sh unpacks it).
_ADDRESS_TEXT = (
    "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
)


@dataclass
class Clip:
    """Samples at 16 kHz, whole video frames; segments `(start, end, sound)`; targets `[frames, C]` as `visemes.curves` gives them."""

    samples: np.ndarray
    segments: list
    targets: np.ndarray


class Missing(RuntimeError):
    """Recordings are not installed; the message ends with a hint."""


def decode(path):
    """Any sound file that FFmpeg knows, as 16 kHz mono."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return (np.frombuffer(raw, "<i2") / 32768.0).astype(np.float32)


def clip(samples, text=""):
    """A clip; without a text the words are recognised first, so that the targets are worse."""
    samples = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES)).astype(np.float32)
    levelled = align.level(samples)
    segments = align.align(levelled, text or align.recognise(levelled))
    targets = visemes.curves(segments, len(samples) / SAMPLE_RATE)[0]
    return Clip(samples, segments, targets[: len(samples) // FRAME_SAMPLES])


def _need(path, package):
    if not path.exists():
        raise Missing(f"{path}: no such recordings\nhint: apt-get install {package}")


def _transcribed(folder, transcript):
    """The clips of a CMU transcription file: lines of `<s> words </s> (name)`."""
    _need(TEST_DATA, "pocketsphinx-testdata")
    clips = []
    for line in (TEST_DATA / folder / transcript).read_text().splitlines():
        words, name = line.rstrip(")").rsplit("(", 1)
        text = " ".join(words.replace("<s>", "").replace("</s>", "").split())
        clips.append(clip(wav.read(TEST_DATA / folder / f"{name}.wav"), text))
    return clips


def librivox():
    """A reader, clean: five sentences."""
    return _transcribed("librivox", "transcription")


def commands():
    """Short commands by other speakers."""
    return _transcribed("cards", "cards.transcription")


def prompts():
    """A woman, clean."""
    _need(PROMPTS, "asterisk-core-sounds-en-g722")
    return [clip(decode(PROMPTS / f"{name}.g722"), text) for name, text in _PROMPT_TEXTS.items()]


def phrases():
    """A man, clean, short."""
    _need(TEST_DATA, "pocketsphinx-testdata")
    raw = lambda name: (np.frombuffer((TEST_DATA / name).read_bytes(), "<i2") / 32768.0).astype(np.float32)
    return [clip(raw(name), text) for name, text in _PHRASE_TEXTS.items()]


def address(home):
    """A man, noisy."""
    path = home / "evaluation" / "jfk.wav"
    if not path.exists():
        raise Missing(f"{path}: no such recording\nhint: tools/evaluation/setup.sh")
    return [clip(wav.read(path), _ADDRESS_TEXT)]


def installed(home):
    """Every set that is installed, by name, with variations of the two large ones; and what is missing, as hints."""
    makers = {
        "librivox": lambda: varied("librivox", librivox()),
        "commands": lambda: {"commands": commands()},
        "prompts": lambda: varied("prompts", prompts()),
        "phrases": lambda: {"phrases": phrases()},
        "address": lambda: {"address": address(home)},
    }
    sets, hints = {}, []
    for make in makers.values():
        try:
            sets |= make()
        except Missing as error:
            hints.append(str(error))
    return sets, hints


def of(folder):
    """Your own: each sound file of a folder is a set; the text is that of NAME.txt beside it, else it is recognised."""
    sets = {}
    for path in sorted(pathlib.Path(folder).iterdir()):
        if path.suffix.lower() in SOUNDS:
            text = path.with_suffix(".txt")
            words = " ".join(text.read_text().lower().split()) if text.exists() else ""
            sets[path.stem] = [clip(decode(path), words)]
    if not sets:
        raise Missing(f"{folder}: no recordings\nhint: expected files ending in {', '.join(SOUNDS)}")
    return sets


def quieter(clips, decibels):
    return [Clip(one.samples * np.float32(10 ** (-decibels / 20)), one.segments, one.targets) for one in clips]


def behind(clips, sound, below, seed=3):
    """The clips with noise or music (`background.noise`, `background.music`), `below` dB under the speech."""
    rng = np.random.default_rng(seed)
    mixed = []
    for one in clips:
        level = np.sqrt(np.mean(one.samples**2)) * 10 ** (-below / 20)
        other = sound(len(one.samples) / SAMPLE_RATE + 0.1, rng)[: len(one.samples)]
        mixed.append(Clip(one.samples + other * np.float32(level / 0.1), one.segments, one.targets))
    return mixed


def varied(name, clips):
    """A clean set, and the same quieter, noisy and with music."""
    return {
        name: clips,
        f"{name}, 15 dB quieter": quieter(clips, 15),
        f"{name}, noise 10 dB below": behind(clips, background.noise, 10),
        f"{name}, music 10 dB below": behind(clips, background.music, 10),
    }


def joined(clips):
    """All clips in one sound with pauses, for one run over a set; and the first frame of each."""
    parts, starts, at = [], [], 0
    for one in clips:
        parts += [one.samples, np.zeros(_PAUSE, np.float32)]
        starts.append(at // FRAME_SAMPLES)
        at += len(one.samples) + _PAUSE
    return np.concatenate(parts), starts


def cut(frames, clips, starts):
    """The frames of each clip out of those of the joined sound."""
    return [frames[start : start + len(one.targets)] for start, one in zip(starts, clips, strict=True)]
