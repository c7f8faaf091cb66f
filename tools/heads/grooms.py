"""Hair styles as points of the texture's parameters. Between any two of them lies a plausible style."""

# Lengths (top, sides, back, fringe) are in [0,1]: a strand of length parameter t is about 36·t^2.2 cm long. part and sweep are in [-1,1]: part is where
# the hair parts (0: the middle, 1: the person's left), sweep where the top lies (-1: to the front, 1: to the back). Names not given are 0.
PRESETS = {
    "shaved": {"top": 0.03, "sides": 0.02, "back": 0.02, "sweep": -0.3},
    "buzz": {"top": 0.17, "sides": 0.12, "back": 0.12, "sweep": -0.5, "frizz": 0.1},
    "short_crop": {"top": 0.36, "sides": 0.25, "back": 0.24, "sweep": -0.2, "part": 0.5, "volume": 0.35, "wave": 0.2, "clump": 0.5, "frizz": 0.2},
    "side_part": {"top": 0.44, "sides": 0.28, "back": 0.26, "sweep": 0.3, "part": 0.7, "volume": 0.2, "wave": 0.1, "clump": 0.45, "frizz": 0.1},
    "slick_back": {"top": 0.52, "sides": 0.32, "back": 0.34, "sweep": 1.0, "volume": 0.25, "wave": 0.1, "clump": 0.6, "frizz": 0.05},
    "fringe": {"top": 0.62, "sides": 0.70, "back": 0.66, "fringe": 1.0, "part": 0.1, "volume": 0.3, "clump": 0.4, "frizz": 0.1},
    "bob": {"top": 0.70, "sides": 0.70, "back": 0.66, "part": 0.5, "volume": 0.35, "wave": 0.15, "clump": 0.4, "frizz": 0.1},
    "shoulder": {"top": 0.84, "sides": 0.82, "back": 0.82, "part": 0.25, "volume": 0.3, "wave": 0.25, "clump": 0.45, "frizz": 0.15},
    "straight_long": {"top": 1.0, "sides": 0.98, "back": 1.0, "part": 0.0, "volume": 0.15, "clump": 0.35, "frizz": 0.05},
    "wavy_long": {"top": 0.97, "sides": 0.95, "back": 0.97, "part": 0.4, "volume": 0.5, "wave": 0.9, "clump": 0.6, "frizz": 0.25},
    "curly": {"top": 0.68, "sides": 0.66, "back": 0.68, "part": 0.3, "volume": 0.6, "wave": 0.3, "curl": 0.7, "clump": 0.7, "frizz": 0.35},
    "afro": {"top": 0.45, "sides": 0.42, "back": 0.42, "volume": 1.0, "curl": 1.0, "clump": 0.3, "frizz": 0.8},
    "tied": {"top": 0.95, "sides": 0.92, "back": 0.92, "sweep": 0.9, "volume": 0.15, "tied": 1.0, "tie_height": 0.5, "clump": 0.4, "frizz": 0.1, "behind_ears": 1.0},
    "receding": {"top": 0.33, "sides": 0.22, "back": 0.22, "sweep": 0.5, "part": 0.4, "volume": 0.2, "clump": 0.4, "frizz": 0.15, "recede": 0.8, "bald": 0.15},
    "wreath": {"top": 0.22, "sides": 0.24, "back": 0.24, "sweep": 0.3, "volume": 0.1, "clump": 0.3, "frizz": 0.2, "recede": 0.9, "bald": 1.0},
    "undercut": {"top": 0.50, "sides": 0.12, "back": 0.12, "sweep": 0.7, "part": 0.6, "volume": 0.25, "wave": 0.2, "clump": 0.55, "frizz": 0.15},
    "locks": {"top": 0.88, "sides": 0.86, "back": 0.88, "part": 0.2, "volume": 0.35, "wave": 0.15, "curl": 0.15, "clump": 1.0, "frizz": 0.12},
}  # fmt: skip
