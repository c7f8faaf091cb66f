"""People's shapes as 40 linear directions of the coarse mesh, in standard deviations.

The first six are what MakeHuman's macro shapes say of sex, age, origin, weight and muscle; the others principal directions of its
local shapes of the face, drawn as people are: most near the middle.
"""

import itertools

import numpy as np

from . import params as P

SEXES, ORIGINS = ("female", "male"), ("african", "asian", "caucasian")
OLD, OLD_STEP = 0.26, 0.23  # the mean head is 42 years old between 25 and 90; a standard deviation is 15 years
WEIGHT_STEP, MUSCLE_STEP = 0.42, 0.45  # of the way from the average to the extreme shape
AGED, FAT = 0.08, 0.14  # of the face's own shapes of age and fat, a standard deviation of age and weight


def _origin(assets, sexes=SEXES, ages=("young", "old"), origins=ORIGINS):
    names = list(itertools.product(origins, sexes, ages))
    return sum(assets.target(f"macrodetails/{o}-{s}-{a}") for o, s, a in names) / len(names)


def _build(assets, sexes=SEXES, ages=("young", "old"), muscle="averagemuscle", weight="averageweight"):
    names = list(itertools.product(sexes, ages))
    return sum(assets.target(f"macrodetails/universal-{s}-{a}-{muscle}-{weight}") for s, a in names) / len(names)


def _both(assets, **how):
    return _origin(assets, **how) + _build(assets, **how)


def mean(assets):
    """The mean person's body [V,3], decimetres."""
    young, old = _both(assets, ages=("young",)), _both(assets, ages=("old",))
    return assets.vertices + young + OLD * (old - young)


def macro(assets):
    """Offsets [6,V,3] of sex, age, the two origins, weight and muscle."""
    caucasian = _origin(assets, origins=("caucasian",))
    out = [
        (_both(assets, sexes=("male",)) - _both(assets, sexes=("female",))) / 2,
        (_both(assets, ages=("old",)) - _both(assets, ages=("young",))) * OLD_STEP + AGED * assets.target("head/head-age-incr"),
        (_origin(assets, origins=("african",)) - caucasian) / 3,
        (_origin(assets, origins=("asian",)) - caucasian) / 3,
        (_build(assets, weight="maxweight") - _build(assets, weight="minweight")) / 2 * WEIGHT_STEP
        + FAT * (assets.target("head/head-fat-incr") - assets.target("head/head-fat-decr") + assets.target("neck/neck-double-incr")),
        (_build(assets, muscle="maxmuscle") - _build(assets, muscle="minmuscle")) / 2 * MUSCLE_STEP,
    ]
    return np.array(out)


# How far a standard deviation goes towards the full shape, by the beginning of its name; the first that fits counts.
SPREADS = [
    ("head/head-age", 0.10), ("head/head-fat", 0.15), ("head/head-trans", 0.0), ("head/head-angle", 0.12), ("head/head-scale", 0.22), ("head/head-back", 0.2), ("head/", 0.18),
    ("nose/nose-trans", 0.12), ("nose/nose-scale", 0.25), ("nose/", 0.28),
    ("mouth/mouth-trans", 0.12), ("mouth/mouth-scale", 0.22), ("mouth/mouth-dimples", 0.1), ("mouth/mouth-laugh", 0.15), ("mouth/", 0.28),
    ("eyes/eye-trans", 0.18), ("eyes/eye-push", 0.15), ("eyes/eye-scale", 0.16), ("eyes/eye-epicanthus", 0.2), ("eyes/eye-corner", 0.22), ("eyes/", 0.28),
    ("chin/chin-triangle", 0.1), ("chin/chin-cleft", 0.18), ("chin/", 0.26), ("ears/ear-shape", 0.2), ("ears/", 0.28), ("forehead/", 0.24), ("eyebrows/", 0.25), ("cheek/", 0.25),
    ("neck/measure-neck-circ", 0.15), ("neck/neck-double", 0.12), ("neck/neck-scale-horiz", 0.15), ("neck/", 0.0),
    ("asym/asymm", 0.0), ("asym/", 0.16),
]  # fmt: skip
PAIRS = [("-decr", "-incr"), ("-down", "-up"), ("-in", "-out"), ("-backward", "-forward"), ("-concave", "-convex"), ("-compress", "-uncompress")]
FOLDERS = ("head", "eyes", "nose", "mouth", "chin", "ears", "forehead", "eyebrows", "cheek", "neck")


def _spread(name):
    return next(s for start, s in SPREADS if name.startswith(start))


def controls(assets):
    """The local shapes as controls: symmetric and asymmetric lists of (negative offsets, positive offsets), scaled to a standard deviation."""
    symmetric, lopsided, zero = [], [], np.zeros_like(assets.vertices)
    for folder in FOLDERS:
        names = set(assets.targets(folder))
        for name in sorted(names):
            if "/r-" in name:
                continue
            down = next((d for d, u in PAIRS if name.endswith(d)), None)
            up = next((u for d, u in PAIRS if name.endswith(u)), None)
            if up and name[: -len(up)] + next(d for d, u in PAIRS if u == up) in names:
                continue  # comes with its opposite
            other = name[: -len(down)] + dict(PAIRS)[down] if down else None
            other = other if other in names else None
            spread = _spread(name.replace("/l-", "/"))
            if not spread:
                continue
            ends = [(assets.target(n) if n else zero) for n in (name, other)]
            if not other:
                ends.reverse()
            if "/l-" in name:
                right = [assets.target(n.replace("/l-", "/r-")) if n else zero for n in (name, other)]
                if not other:
                    right.reverse()
                lopsided.append(tuple(0.35 * spread * (l - r) for l, r in zip(ends, right)))
                ends = [l + r for l, r in zip(ends, right)]
            elif folder != "ears" and name.endswith("trans-in"):
                lopsided.append(tuple(spread * e for e in ends))  # these move to one side
                continue
            symmetric.append(tuple(spread * e for e in ends))
    for name in assets.targets("asym"):
        if name.endswith("-l") and _spread(name):
            lopsided.append((_spread(name) * assets.target(name[:-2] + "-r"), _spread(name) * assets.target(name)))
    return symmetric, lopsided


def drawn(pairs, kept, rng, count):
    """`count` random shapes [count, 3N] of controls, at the kept vertices."""
    down, up = (np.array([p[i][kept].ravel() for p in pairs], np.float32) for i in (0, 1))
    w = np.clip(rng.normal(size=(count, len(pairs))), -2.5, 2.5).astype(np.float32)
    return np.maximum(-w, 0) @ down + np.maximum(w, 0) @ up


def principal(shapes, weight, count):
    """Mean [3N], directions [count,3N] of one standard deviation each, and the share of the weighted variance kept."""
    middle = shapes.mean(0)
    w = np.repeat(np.sqrt(weight), 3)
    a = (shapes - middle) * w
    s, u = np.linalg.eigh(a @ a.T)
    u, kept = u[:, ::-1], s[-count:].sum() / s.sum()
    directions = (u[:, :count].T @ (shapes - middle)) / np.sqrt(len(shapes))
    return middle, directions, float(kept)


def basis(assets, kept, settle, weight, seed=5):
    """The mean's offset [3N] by the local shapes, all directions [40,N,3], shares of variance kept (symmetric, asymmetric).

    `settle` takes offsets [n,N,3] and removes their motion of the head as a whole; `weight [N]` says how much vertices count.
    """
    rng = np.random.default_rng(seed)
    n = len(kept)
    symmetric, lopsided = controls(assets)
    rest = P.IDENTITY - 6 - P.ASYMMETRY
    offset, even, kept_even = principal(settle(drawn(symmetric, kept, rng, 1200).reshape(-1, n, 3)).reshape(1200, -1), weight, rest)
    _, odd, kept_odd = principal(settle(drawn(lopsided, kept, rng, 600).reshape(-1, n, 3)).reshape(600, -1), weight, P.ASYMMETRY)
    first = settle(macro(assets)[:, kept])
    return offset.reshape(n, 3), np.concatenate([first, even.reshape(-1, n, 3), odd.reshape(-1, n, 3)]), (kept_even, kept_odd)
