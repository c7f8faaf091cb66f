"""The parsing classes of pictures: the 16 that BiSeNet (Yu et al. 2018) is trained for on CelebAMask-HQ, less what nobody here wears."""

(
    BACKGROUND, SKIN, BROW_L, BROW_R, EYE_L, EYE_R, NOSE, LIP_U, MOUTH, LIP_L, NECK_C, EAR_LC, EAR_RC, HAIR_C, CLOTHES, BODY,
) = range(16)  # fmt: skip
