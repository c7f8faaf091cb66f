"""Unseen views for the inversion: the photo carried over to other cameras and expressions by the pivot's own geometry."""

import torch
import torch.nn.functional as F

from ..heads import geometry as G
from ..heads import params as P
from ..heads import points as M
from ..heads.params import both
from .optimise_losses import grow, shrink
from .optimise_volume import along

EYES, LIPS = 3.0, 1.5  # extra weight of their pixels
YAW, PITCH = 0.4, 0.2  # radians either way
WIDEST = 0.8  # jawOpen of the widest mouths among the views: loud speech gets there, and the training's people do
RANDOMS = 11
BLINKING = 0.5  # of the views
LID_TONE = 0.95  # how bright closed lids are beside the skin around them: their lashes are darker
LASHES = 3 / 256  # how far beyond the lids' edges an eye in-painting takes over, as part of the picture's side
SHUT, PARTED = 0.05, 0.12  # opening of the inner lips in eye distances up to which a photo shows no teeth, and from which it does
SURFACE = 0.05  # how far behind the surface that the photo sees a point may lie and still count as seen, model units
STEEPEST = 0.12  # change of depth over neighbouring rays beyond which a place is a silhouette or seen too obliquely
THICK = 0.2  # how far from the photo's surface inversion may add to what the pivot has, model units
REACH = 0.04  # standard deviation of the spread of vertex motion to its surroundings, model units: less than lips are apart


def random_view(pose, w, random):
    """Another camera around the head and another expression: pose `[1,6]`, w `[1,D]`; `random` uniform in [0,1)."""
    signed = random * 2 - 1
    turn = torch.stack([signed[0] * PITCH, signed[1] * YAW, signed[2] * 0.05])
    turned = torch.cat([pose[:, :3] + turn[None], pose[:, 3:]], 1)
    speaking = (random[3] < 0.7).to(w.dtype)
    wide = (random[4] < 0.4).to(w.dtype)
    # nearly half shut at least: until then the photo's eye is what lids uncover
    blink = (0.4 + 0.6 * random[8] / BLINKING) * (random[8] < BLINKING).to(w.dtype)
    motion = {"jawOpen": WIDEST * random[5] * speaking, "mouthPucker": 0.7 * random[6] * speaking * (1 - wide)}
    for name, value in (("mouthStretch", 0.7 * random[6] * speaking * wide), ("mouthSmile", 0.5 * random[7] * (random[7] > 0.6).to(w.dtype)), ("eyeBlink", blink)):
        motion |= both(name, value)
    change = torch.stack([motion.get(name, torch.zeros(())) for name in P.EXPRESSION])
    slot = P.SLOT["expression"]
    expression = w[:, slot]
    # towards the end of what speech and faces do rather than beyond it
    end = torch.tensor([WIDEST if name == "jawOpen" else 1.0 for name in P.EXPRESSION])
    moved = torch.minimum(expression + change[None], torch.maximum(expression, end))
    return turned, torch.cat([w[:, : slot.start], moved, w[:, slot.stop :]], 1)


class Tile:
    """A square part of a view: `side` rays of `of` each way, placed by two uniform numbers."""

    def __init__(self, side, of, random):
        self.side, self.of = side, of
        self.columns, self.rows = (torch.arange(side) + torch.floor(random[i] * (of - side + 1)) for i in range(2))

    def _places(self, each):
        """Columns and rows of the tile's rays, `each` for every ray each way, in a picture of `each`·`of` rays."""
        x, y = ((line[:, None] * each + torch.arange(each)).reshape(-1) for line in (self.columns, self.rows))
        n = each * self.side
        return x[None].expand(n, n).reshape(1, -1), y[:, None].expand(n, n).reshape(1, -1)

    def rays(self, pose, each=1):
        """Origins and directions `[1,(each·side)²,3]`."""
        return G.pixel_rays(pose, *self._places(each), each * self.of)

    def pixel_centres(self):
        """Places of the tile's pixels, two a ray each way, in the whole picture: `[4·side²,2]` in [0,1]."""
        return (torch.stack(self._places(2), -1)[0] + 0.5) / (2 * self.of)


def cut(image, rows, columns):
    """The rows and columns (whole numbers) of `image [1,c,h,w]`."""
    return image.index_select(2, rows.to(torch.int64)).index_select(3, columns.to(torch.int64))


def inside_polygon(points, polygon):
    """Even-odd test of `points [N,2]` against a closed `polygon [J,2]`: `[N]` of 0 and 1."""
    x, y = points[:, :1], points[:, 1:]
    x0, y0 = polygon[None, :, 0], polygon[None, :, 1]
    x1, y1 = torch.cat([x0[:, 1:], x0[:, :1]], 1), torch.cat([y0[:, 1:], y0[:, :1]], 1)
    rise = y1 - y0
    rise = torch.where(rise.abs() < 1e-9, torch.full_like(rise, 1e-9), rise)
    crosses = ((y0 > y) != (y1 > y)) & (x < x0 + (x1 - x0) * (y - y0) / rise)
    count = crosses.to(points.dtype).sum(1)
    return count - 2 * torch.floor(count / 2)


def pixel_centres(side):
    at = (torch.arange(side) + 0.5) / side
    return torch.stack([at[None].expand(side, side), at[:, None].expand(side, side)], -1).reshape(-1, 2)


def care(morphable, w, pose, side):
    """How much pixels of the photo matter `[1,1,side,side]`, mean 1: most at the eyes, where a viewer looks first, then at the lips."""
    landmarks = morphable(torch.cat([w[:, : P.STYLE], pose], 1))[1]
    total = torch.ones(side * side)
    for ring, weight in ((M.EYE_L_LOWER + M.EYE_L_UPPER, EYES), (M.EYE_R_LOWER + M.EYE_R_UPPER, EYES), (M.CONTOUR, LIPS)):
        at = landmarks[:, torch.tensor(ring)]
        middle, reach = at.mean(1, keepdim=True), (at.amax(1, keepdim=True) - at.amin(1, keepdim=True)).amax(-1, keepdim=True)
        total = total + weight * torch.exp(-((pixel_centres(side)[None] - middle) / (0.6 * reach)).square().sum(-1))[0]
    return (total / total.mean()).reshape(1, 1, side, side)


def mouth_mask(morphable, w, pose, places):
    """The open mouth `[1,1,side,side]` at the square of `places [side²,2]`: inside the lips' inner contour."""
    _, _, contour = morphable(torch.cat([w[:, : P.STYLE], pose], 1))
    side = round(len(places) ** 0.5)
    return inside_polygon(places, contour[0]).reshape(1, 1, side, side)


def opened(w, jaw):
    """`w [1,D]` with its mouth at least so far open."""
    at, close = (P.IDENTITY + P.UNIT[name] for name in ("jawOpen", "mouthClose"))
    return torch.cat([w[:, :at], w[:, at : at + 1].clamp(min=jaw), 0 * w[:, close : close + 1], w[:, close + 1 :]], 1)


def mouth_rays(morphable, w, pose, side):
    """`side`² rays over the box about the mouth of `w [1,D]` at its widest, and whether they go into its open mouth, `[1,side²,1]`."""
    box = morphable(torch.cat([opened(w, WIDEST)[:, : P.STYLE], pose], 1))[2][0]
    places = box.amin(0) + pixel_centres(side) * (box.amax(0) - box.amin(0))
    x, y = places[None].unbind(-1)
    # in pixels of a picture one pixel wide, whose centre is at 0.5
    return G.pixel_rays(pose, x - 0.5, y - 0.5, 1), mouth_mask(morphable, w, pose, places).reshape(1, -1, 1)


def mouth_kept(morphable, w, pose):
    """How much of what a photo adds to the planes holds inside its mouth as well, `[1]`: nothing where lips are shut, all where teeth show."""
    landmarks = morphable(torch.cat([w[:, : P.STYLE], pose], 1))[1][0]
    middle = slice(3, 8)
    gap = (landmarks[M.LIPS_L[3][middle]] - landmarks[M.LIPS_U[3][middle]])[:, 1].mean()
    eyes = (landmarks[M.EYE_L_LOWER].mean(0) - landmarks[M.EYE_R_LOWER].mean(0)).square().sum().sqrt()
    return ((gap / eyes - SHUT) / (PARTED - SHUT)).clamp(0, 1).reshape(1)


def eyes_masks(morphable, w, w_view, pose, places):
    """Both eyes, `[1,1,side,side]` each, of a view in which lids are farther down than in `w`, as open as there; else nothing."""
    blink = torch.zeros(P.D)
    blink[[P.IDENTITY + P.UNIT[name] for name in ("eyeBlinkLeft", "eyeBlinkRight")]] = 1
    travel = ((w_view - w) * blink).amax()
    awake = w_view + (w - w_view) * blink
    landmarks = morphable(torch.cat([awake[:, : P.STYLE], pose], 1))[1]
    side = round(len(places) ** 0.5)
    rings = [torch.tensor(lower + upper[-2:0:-1]) for lower, upper in ((M.EYE_L_LOWER, M.EYE_L_UPPER), (M.EYE_R_LOWER, M.EYE_R_UPPER))]
    down = (travel > 0.05).to(w.dtype)
    return [inside_polygon(places, landmarks[0, ring]).reshape(1, 1, side, side) * down for ring in rings]


def mean_colour(image, mask):
    """Of `image [1,3,h,w]` where `mask [1,1,h,w]` is 1: `[1,3,1,1]`."""
    return (image * mask).sum((2, 3), keepdim=True) / (mask.sum() + 1)


def carry_back(morphable, w_from, w_to, points):
    """Points `[1,N,3]` at the head with the expression of `w_from` -> where they are with that of `w_to`."""
    identity, slot = w_to[:, P.SLOT["identity"]], P.SLOT["expression"]
    start = morphable.head_frame(identity, w_from[:, slot])[:, : morphable.skin_count]
    end = morphable.head_frame(identity, w_to[:, slot])[:, : morphable.skin_count]
    squared = points.square().sum(-1, keepdim=True) + start.square().sum(-1)[:, None] - 2 * points @ start.transpose(1, 2)
    weight = torch.exp(-squared.clamp(min=0) / (2 * REACH**2))
    return points + weight @ (end - start) / (weight.sum(-1, keepdim=True) + 1e-3)


def steepness(depth):
    """The range of `depth [1,1,R,R]` over each 3x3 neighbourhood."""
    return F.max_pool2d(depth, 3, 1, 1) + F.max_pool2d(-depth, 3, 1, 1)


def look_up(image, uv):
    """`image [1,c,h,w]` at `uv [1,N,2]` in [0,1]: `[1,c,N]`."""
    return F.grid_sample(image, (uv * 2 - 1)[:, :, None], align_corners=False, padding_mode="border")[..., 0]


def carry_photo(morphable, photo, w, pose, w_view, rays_view, view):
    """The photo as seen along other rays.

    `photo` and `view` hold alpha and depth `[1,1,R,R]` of the volume from either camera, `photo` also the target `[1,3,P,P]` and
    person `[1,1,P,P]`. Gives the picture `[1,3,2R,2R]` and the mask `[1,1,2R,2R]` of what the photo shows of it, R being the view's.
    """
    rays = view["depth"].shape[-1]
    side = 2 * rays
    points = along(*rays_view, view["depth"].reshape(1, -1, 1))[:, :, 0]
    points = carry_back(morphable, w_view, w, points)
    uv = G.project(points, pose)
    distance = G.DISTANCE - (points @ G.rotation(pose).transpose(1, 2) + pose[:, None, 3:])[..., 2]
    map_ = lambda x: x.reshape(1, -1, rays, rays)
    seen = look_up(torch.cat([photo["depth"], photo["alpha"], steepness(photo["depth"])], 1), uv)
    good = (distance - seen[:, 0] < SURFACE) & (seen[:, 1] > 0.9) & (seen[:, 2] < STEEPEST)
    good = good & ((uv - 0.5).abs().amax(-1) < 0.49)
    good = map_(good.to(uv.dtype)) * (view["alpha"] > 0.95).to(uv.dtype) * (steepness(view["depth"]) < STEEPEST).to(uv.dtype)
    uv = F.interpolate(map_(uv.transpose(1, 2)), size=(side, side), mode="bilinear", align_corners=False)
    uv = uv.reshape(1, 2, -1).transpose(1, 2)
    person = look_up(photo["person"], uv).reshape(1, 1, side, side)
    mask = (F.interpolate(good, size=(side, side), mode="bilinear", align_corners=False) > 0.99) & (person > 0.9)
    return look_up(photo["target"], uv).reshape(1, 3, side, side), shrink(mask.to(uv.dtype), 1)


def carry_teeth(morphable, photo, w, pose, rays_view, view, mouth):
    """The inside of a view's mouth: what the photo shows of it between the lips, where teeth are seen that do not move with the jaw,
    and the volume's own picture elsewhere. `mouth [1,1,2R,2R]` is the view's open mouth; gives `[1,3,2R,2R]`."""
    side = mouth.shape[-1]
    depth = F.interpolate(view["depth"], size=(side, side), mode="bilinear", align_corners=False).reshape(1, -1, 1)
    uv = G.project(along(*rays_view, depth)[:, :, 0], pose)
    shown = mouth_mask(morphable, w, pose, uv[0]) * mouth
    return torch.where(shown > 0.5, look_up(photo["target"], uv).reshape(1, 3, side, side), view["image"])


def void(person, photo, pose, points, pivot_empty):
    """Which `points [1,N,S,3]` hold nothing, `[1,N,S]` of 0 and 1: those beside the person's outline in the photo, and where the pivot is
    empty too (`pivot_empty [1,N,S]`), those far off the surface that the photo shows and those that it does not show at all."""
    flat = points.reshape(1, -1, 3)
    uv = G.project(flat, pose)
    distance = G.DISTANCE - (flat @ G.rotation(pose).transpose(1, 2) + pose[:, None, 3:])[..., 2]
    shown = ((uv - 0.5).abs().amax(-1) < 0.5).to(uv.dtype)
    beside = (look_up(grow(person, max(1, person.shape[-1] // 128)), uv)[:, 0] < 0.05).to(uv.dtype) * shown
    far = ((distance - look_up(photo["depth"], uv)[:, 0]).abs() > THICK).to(uv.dtype)
    unlikely = pivot_empty.reshape(1, -1) * torch.maximum(far, 1 - shown)
    return torch.maximum(beside, unlikely).reshape(points.shape[:3])


def free_background(alpha):
    """Where a view with this alpha `[1,1,R,R]` shows background alone."""
    return (grow(alpha, 1) < 0.05).to(alpha.dtype)
