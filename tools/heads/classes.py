"""The parsing classes of pictures, as the role `parse` numbers them (docs/packs.md). Left and right are the person's."""

(
    BACKGROUND, SKIN, BROW_L, BROW_R, EYE_L, EYE_R, NOSE, LIP_U, MOUTH, LIP_L, NECK_C, EAR_LC, EAR_RC, HAIR_C, CLOTHES, BODY,
) = range(16)  # fmt: skip
