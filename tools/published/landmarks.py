"""The 68 landmarks of the published fit (Sagonas et al. 2013, iBUG 300-W) among the 468 points of the face mesh that a host finds.

Both count from the picture's left. The mesh has no point for just the same places everywhere: along the jaw and on the lips the nearest one is
taken.
"""

JAW = [127, 234, 93, 132, 58, 136, 149, 148, 152, 377, 378, 365, 288, 361, 323, 454, 356]  # ear to ear by the chin
BROWS = [70, 63, 105, 66, 107, 336, 296, 334, 293, 300]
NOSE = [168, 197, 5, 4, 98, 97, 2, 326, 327]  # bridge downwards, then below the nostrils
EYES = [33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380]  # outer corner, upper lid, inner corner, lower lid; inner corner first
OUTER_LIPS = [61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91]
INNER_LIPS = [78, 81, 13, 311, 308, 402, 14, 178]

POINTS = JAW + BROWS + NOSE + EYES + OUTER_LIPS + INNER_LIPS

# Where each landmark lies in the mirror.
MIRROR = [
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
]  # fmt: skip
