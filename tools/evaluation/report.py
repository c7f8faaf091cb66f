"""Figures as text for the terminal and as Markdown for the model card."""

SPEECH = ("aperture", "closure", "width", "rounding", "pbm_closed", "pbm_count", "fv_at_teeth", "false_closed", "lag_frames", "loudness_only", "loudness_only_closure")
_TABLES = {
    "inversion": ("portrait", ("psnr", "ssim", "ms_gmsd", "landmark_error_px", "shape_error", "identity_distance", "seconds")),
    "full_size": ("at the photo's size", ("psnr", "ssim", "flicker", "strays", "inversion_seconds", "peak_mb")),
    "yaw": ("turned by ±20°, worst", ("identity", "identity_distance", "holes", "specks", "ghosts", "silhouette_step", "area_range")),
    "expression": ("asked and found", ("correlation", "gap_per_jaw")),
    "speech": ("coefficients", (*SPEECH, "seconds")),
    "nobody": ("nobody speaks", ("jaw", "jaw_largest", "aperture", "aperture_largest")),
    "rendered_speech": ("lips in the film", (*SPEECH, "aperture_asked", "gap_5", "gap_95", "jitter", "jitter_mouth")),
}


def cell(value):
    """A figure with three significant digits."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


def tables(report):
    """Yields every table: header row, then rows of cells."""
    for part, (head, columns) in _TABLES.items():
        rows = report.get(part, {})
        used = [column for column in columns if any(column in row for row in rows.values())]
        if rows:
            yield [[head, *used]] + [[name, *(cell(row.get(column)) for column in used)] for name, row in rows.items()]
    for part in ("sharpness", "seconds"):
        if rows := {name: row[part] for name, row in report.get("full_size", {}).items() if part in row}:
            kinds = list(next(iter(rows.values())))
            yield [[part, *kinds]] + [[name, *(cell(row[kind]) for kind in kinds)] for name, row in rows.items()]
    for name, row in report.get("expression", {}).items():
        measures = ("gain", "crosstalk")
        channels = row["channels"]
        yield [[f"expression, {name}", *channels]] + [[m, *(cell(one[m]) for one in channels.values())] for m in measures]
    yield from _driven(report.get("driven", {}))
    for part in ("render", "held_out"):
        if row := report.get(part):
            yield [[part, *row], ["", *map(cell, row.values())]]


def _driven(figures):
    """What tracking reads off the drawn driver, then for every video correlation, gain, lag and error of every curve."""
    if read := figures.get("read"):
        yield [["driven, read", *read], ["correlation", *map(cell, read.values())]]
    for name, row in figures.items():
        if name != "read":
            kinds = [kind for kind, one in row.items() if isinstance(one, dict) and "lag" in one]
            rows = [[m, *(cell(row[kind][m]) for kind in kinds)] for m in ("correlation", "gain", "lag", "error")]
            blinks = ", ".join(f"{count} {what}" for what, count in row["blinks"].items())
            rows.append(["blinks", blinks, *[""] * (len(kinds) - 1)])
            if "identity_distance" in row:
                rows.append(["identity distance", cell(row["identity_distance"]), *[""] * (len(kinds) - 1)])
            yield [[f"driven, {name}", *kinds], *rows]


def text(report):
    """Aligned columns."""
    blocks = []
    for table in tables(report):
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(f"{c:<{w}}" if i == 0 else f"{c:>{w}}" for i, (c, w) in enumerate(zip(row, widths, strict=True))) for row in table]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def markdown(report):
    """The same for a model card."""
    blocks = []
    for head, *rows in tables(report):
        lines = [head, ["---"] * len(head), *rows]
        blocks.append("\n".join("| " + " | ".join(column.replace("_", " ") if i < 1 else column for column in row) + " |" for i, row in enumerate(lines)))
    return "\n\n".join(blocks) + "\n"
