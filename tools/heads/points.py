"""Landmarks of MediaPipe's face mesh by name: lists of the 468 points' numbers."""

# Lip rings from the outer contour to the inner one, listed from corner to corner; `U` upper, `L` lower.
LIPS_U = [
    [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291],
    [76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306],
    [62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292],
    [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308],
]
LIPS_L = [
    [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
    [76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306],
    [62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292],
    [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308],
]
# Eye openings of the person's right (image left) and left eye: (outer corner .. inner corner) lower, then upper lid.
EYE_R_LOWER, EYE_R_UPPER = [33, 7, 163, 144, 145, 153, 154, 155, 133], [33, 246, 161, 160, 159, 158, 157, 173, 133]
EYE_L_LOWER, EYE_L_UPPER = [263, 249, 390, 373, 374, 380, 381, 382, 362], [263, 466, 388, 387, 386, 385, 384, 398, 362]
# The skin just above each upper lid, same order.
LID_R_ABOVE, LID_L_ABOVE = [247, 30, 29, 27, 28, 56, 190], [467, 260, 259, 257, 258, 286, 414]
CORNERS = {61, 291, 76, 306, 62, 292, 78, 308}
CONTOUR = LIPS_U[3] + LIPS_L[3][-2:0:-1]  # inner lip contour, closed polygon
