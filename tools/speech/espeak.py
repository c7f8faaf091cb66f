"""eSpeak NG through its library: speech with phoneme times (its event callback), and phonemes of a text.

The command line cannot give times without an mbrola voice; the library's phoneme events can. They come 16 ms late.
"""

import ctypes
import functools
import re

import numpy as np

from . import phones, wav

_LATE = 0.016
_SYNCHRONOUS, _PHONEME_EVENTS = 2, 1
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_END_OF_LIST, _PHONEME = 0, 7  # espeak_EVENT_TYPE
_UTF8, _IPA = 1, 2

# English accents, each with speakers of both sexes; the robots and whisperers are left out.
ACCENTS = ("en-us", "en-us", "en", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-us-nyc", "en-gb-x-gbclan")
SPEAKERS = ("", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "f2", "f3", "f5",
            "klatt", "klatt2", "klatt4", "Alex", "Andrea", "Annie", "linda", "steph", "Mike", "Lee", "belinda",
            "grandma", "michel", "paul", "anika", "zac")  # fmt: skip


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("unique", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Id),
    ]  # fmt: skip


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Library:
    def __init__(self):
        try:
            self.calls = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise RuntimeError(f"{error}\nhint: apt-get install libespeak-ng1 espeak-ng-data") from error
        self.rate = self.calls.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
        if self.rate <= 0:
            raise RuntimeError("espeak-ng: no voice data\nhint: apt-get install espeak-ng-data")
        self.calls.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self.blocks, self.events = [], []
        self.callback = _CALLBACK(self._receive)  # kept: the library holds only a pointer
        self.calls.espeak_SetSynthCallback(self.callback)

    def _receive(self, samples, count, events):
        if samples and count:
            self.blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type != _END_OF_LIST:
            if events[i].type == _PHONEME:
                mnemonic = bytes(events[i].id.string).split(b"\0")[0].decode("utf-8", "ignore")
                self.events.append((events[i].sample / self.rate, mnemonic))
            i += 1
        return 0


@functools.cache
def _library():
    return _Library()


def speak(text, rng):
    """One sentence by a random voice: `(samples at 16 kHz, segments)`."""
    library = _library()
    library.blocks.clear()
    library.events.clear()
    speaker = rng.choice(SPEAKERS)
    voice = rng.choice(ACCENTS) + (f"+{speaker}" if speaker else "")
    if library.calls.espeak_SetVoiceByName(str(voice).encode()) != 0:
        raise RuntimeError(f"espeak-ng: no voice {voice}")
    values = {_RATE: rng.integers(130, 211), _PITCH: rng.integers(25, 76), _RANGE: rng.integers(30, 91)}
    for parameter, value in values.items():
        library.calls.espeak_SetParameter(parameter, int(value), 0)
    encoded = text.encode()
    library.calls.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
    library.calls.espeak_Synchronize()
    samples = np.concatenate(library.blocks) / np.float32(32768.0)
    starts = [max(0.0, start - _LATE) for start, _ in library.events] + [len(samples) / library.rate]
    timed = []
    for i, (_, name) in enumerate(library.events):
        sounds = phones.espeak(name)
        if sounds is None and timed:
            timed[-1] = (timed[-1][0], starts[i + 1], timed[-1][2])
        else:
            timed.append((starts[i], starts[i + 1], sounds or phones.SILENCE))
    return wav.resample(samples, library.rate), phones.split(timed)


def phonemes(text, voice):
    """IPA of an English text with its punctuation kept, as Piper voices read it."""
    library = _library()
    if library.calls.espeak_SetVoiceByName(voice.encode()) != 0:
        raise RuntimeError(f"espeak-ng: no voice {voice}")
    parts = []
    for words, mark in re.findall(r"([^,;:.!?]+)([,;:.!?]?)", text):
        rest = ctypes.c_char_p(words.encode())
        while rest.value:
            spoken = library.calls.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA)
            parts.append((spoken or b"").decode().strip())
        parts.append(mark + " ")
    return "".join(parts).strip()
