"""The physical parameters p of a person, which are also the generator's w, and how plausible ones are drawn.

p = identity (40, standard deviations) | expression (52 ARKit face units) | texture (colours in [0,1] and shapes) | background (3x8x8 colours).
Coefficients = identity | expression | texture | rotation (pitch, yaw, roll) | translation.
"""

import torch

IDENTITY = 40
# What the first directions of the identity are; the others are principal directions of what is left, the last `ASYMMETRY` of them unlike left and right.
SEX, AGE, AFRICAN, ASIAN, WEIGHT, MUSCLE = range(6)  # sex: positive is male
ASYMMETRY = 4
EXPRESSION = [
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
]  # fmt: skip
NAMES = [  # of the texture, with how many numbers each has
    # skin and its make-up
    ("skin", 3), ("flush", 1), ("lips", 3), ("lip_gloss", 1), ("gloss", 1), ("pores", 1), ("freckles", 1), ("wrinkles", 1), ("shadow", 3), ("shadow_amount", 1), ("liner", 1),
    # eyes and brows
    ("iris", 3), ("lashes", 1), ("brow", 3), ("brow_strength", 1), ("brow_width", 1), ("brow_arch", 1), ("brow_tilt", 1), ("teeth", 1),
    # facial hair: lengths and densities in [0,1]
    ("beard", 3), ("chin_beard", 1), ("cheek_beard", 1), ("moustache", 1), ("stubble", 1),
    # hair: lengths in [0,1] (0 shaved, 1 over the shoulder), the rest shapes
    ("hair", 3), ("hair_tips", 1), ("top", 1), ("sides", 1), ("back", 1), ("fringe", 1), ("part", 1), ("sweep", 1), ("volume", 1), ("wave", 1), ("curl", 1), ("clump", 1),
    ("frizz", 1), ("recede", 1), ("bald", 1), ("tied", 1), ("tie_height", 1), ("behind_ears", 1),
    # what people wear: presence in [0,1]
    ("glasses", 1), ("glasses_size", 1), ("glasses_round", 1), ("glasses_rim", 1), ("glasses_rgb", 3), ("glasses_dark", 1), ("earrings", 1), ("earring_size", 1),
    ("cap", 1), ("scarf", 1), ("cover", 3), ("cloth", 3), ("cloth_inner", 3), ("collar", 1), ("neckline", 1), ("neck_v", 1), ("pattern", 1),
    # light: where the key comes from, how strong and hard it is, and what surrounds
    ("key_x", 1), ("key_y", 1), ("key", 1), ("hard", 1), ("ambient", 1), ("sky", 1), ("side", 1), ("rim", 1), ("warm_key", 1), ("warm_ambient", 1),
]  # fmt: skip
BACKGROUND = 8  # side of the background's colour grid
E = len(EXPRESSION)
UNIT = {name: i for i, name in enumerate(EXPRESSION)}
SLOT, _at = {"identity": slice(0, IDENTITY), "expression": slice(IDENTITY, IDENTITY + E)}, IDENTITY + E
for _name, _n in NAMES:
    SLOT[_name] = slice(_at, _at + _n)
    _at += _n
SLOT["texture"] = slice(IDENTITY + E, _at)
TEXTURE = _at - IDENTITY - E
SLOT["background"] = slice(_at, _at + 3 * BACKGROUND**2)
STYLE = _at  # what the style network sees: everything but the background
D = SLOT["background"].stop
K = STYLE + 6
Z = 192


def both(name, value):
    """A face unit of both sides by its name without the side: {name of the unit: value}."""
    return {name + side: value for side in ("Left", "Right")}
