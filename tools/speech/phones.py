"""Phoneme alphabets of the synthesisers and of the aligner, mapped to the sounds that look alike on the lips.

A *sound* is a key of `visemes.VISEMES`. A phoneme maps to one sound or, for diphthongs and affricates, to two.
A *segment* is `(start, end, sound)` in seconds.
"""

SILENCE = "SIL"

# Darpabet, as flite and pocketsphinx write it, in lower case.
ARPABET = {
    "aa": "AA", "ae": "AE", "ah": "AH", "ao": "AO", "aw": "AA UH", "ax": "AX", "axr": "ER", "ay": "AA IH",
    "eh": "EH", "er": "ER", "ey": "EH IY", "ih": "IH", "ix": "IH", "iy": "IY", "ow": "OH UW", "oy": "AO IH",
    "uh": "UH", "uw": "UW",
    "b": "B", "p": "B", "m": "B", "em": "B", "f": "F", "v": "F", "th": "TH", "dh": "TH",
    "t": "T", "d": "T", "n": "T", "en": "T", "dx": "T", "nx": "T", "s": "S", "z": "S", "sh": "SH", "zh": "SH",
    "ch": "T SH", "jh": "T SH", "k": "K", "g": "K", "ng": "K", "l": "L", "el": "L", "r": "R",
    "w": "W", "wh": "W", "y": "Y", "hh": "HH", "hv": "HH",
    "pau": SILENCE, "sil": SILENCE, "h#": SILENCE, "#": SILENCE, "ssil": SILENCE, "brth": SILENCE,
    "<s>": SILENCE, "</s>": SILENCE, "+spn+": SILENCE, "+nsn+": SILENCE,
}  # fmt: skip

# The International Phonetic Alphabet; capitals are the diphthong letters of misaki-like front ends.
IPA = {
    "ɑ": "AA", "a": "AA", "æ": "AE", "ʌ": "AH", "ɐ": "AX", "ə": "AX", "ᵊ": "AX", "ɔ": "AO", "ɒ": "AO", "e": "EH",
    "ɛ": "EH", "ɜ": "ER", "ɚ": "ER", "ɝ": "ER", "ɪ": "IH", "ᵻ": "IH", "i": "IY", "ʊ": "UH", "u": "UW", "o": "OH",
    "A": "EH IY", "I": "AA IH", "O": "OH UW", "Q": "OH UW", "W": "AA UH", "Y": "AO IH",
    "b": "B", "p": "B", "m": "B", "f": "F", "v": "F", "θ": "TH", "ð": "TH", "t": "T", "d": "T", "n": "T", "ɾ": "T",
    "T": "T", "ʔ": "K", "s": "S", "z": "S", "ʃ": "SH", "ʒ": "SH", "ʧ": "T SH", "ʤ": "T SH", "k": "K", "g": "K",
    "ɡ": "K", "ŋ": "K", "x": "K", "l": "L", "ɫ": "L", "ɹ": "R", "r": "R", "w": "W", "j": "Y", "h": "HH",
    ".": SILENCE, ",": SILENCE, "!": SILENCE, "?": SILENCE, ";": SILENCE, ":": SILENCE, "—": SILENCE, "…": SILENCE,
    "^": SILENCE, "$": SILENCE,
}  # fmt: skip

# eSpeak NG's own mnemonics: whole ones first, then their first letter.
_ESPEAK_WHOLE = {
    "tS": "T SH", "dZ": "T SH", "aI": "AA IH", "aI@": "AA IH", "aI3": "AA IH", "eI": "EH IY", "oU": "OH UW",
    "@U": "OH UW", "o:": "OH UW", "aU": "AA UH", "aU@": "AA UH", "OI": "AO IH", "O@": "AO R", "o@": "AO R",
    "A@": "AA R", "e@": "EH ER", "i@": "IH ER", "i@3": "IH ER", "I@": "IH ER", "U@": "UH ER", "aa": "AE",
    "a2": "AE", "a#": "AX", "aI2": "AA IH", "A:": "AA", "@L": "L", "L": "L", "hw": "W",
}  # fmt: skip
_ESPEAK_LETTER = {
    "@": "AX", "a": "AE", "A": "AA", "E": "EH", "e": "EH", "I": "IH", "i": "IY", "O": "AO", "0": "AO", "o": "OH",
    "U": "UH", "u": "UW", "V": "AH", "3": "ER", "b": "B", "p": "B", "m": "B", "f": "F", "v": "F", "T": "TH",
    "D": "TH", "t": "T", "d": "T", "n": "T", "s": "S", "z": "S", "S": "SH", "Z": "SH", "k": "K", "g": "K",
    "N": "K", "l": "L", "r": "R", "w": "W", "j": "Y", "h": "HH", "x": "K", "*": "T", "?": "K",
}  # fmt: skip


def espeak(mnemonic):
    """Sounds of an eSpeak NG mnemonic; None for one that has no sound of its own (stress, length)."""
    if mnemonic == "" or mnemonic.startswith("_"):
        return SILENCE
    return _ESPEAK_WHOLE.get(mnemonic) or _ESPEAK_LETTER.get(mnemonic[0])


def split(timed):
    """`(start, end, sounds)` with one or two sounds, or None, to a list of segments."""
    segments = []
    for start, end, sounds in timed:
        if not sounds or end <= start:
            continue
        first, _, second = sounds.partition(" ")
        if second:
            # An affricate's stop is shorter than the vowel of a diphthong.
            middle = start + (0.45 if first == "T" else 0.6) * (end - start)
            segments += [(start, middle, first), (middle, end, second)]
        else:
            segments.append((start, end, first))
    return segments
