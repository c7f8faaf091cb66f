"""Turns the networks of the mediapipe wheel into ONNX files: `networks.py WHEEL FOLDER`.

The same wheel gives the same bytes. Shapes are those of the pack contract (docs/packs.md).
"""

import sys
import zipfile
from pathlib import Path

from tflite2onnx.convert import convert

NETWORKS = {
    "face_detector": (
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        {"boxes": [1, 896, 16], "scores": [1, 896, 1]},
    ),
    "face_mesh": (
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        {"landmarks": [1, 1404], "score": [1, 1]},
    ),
    "face_parts": (
        "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite",
        # In the file the eyes are named as the picture shows them; here they are the person's.
        {
            "landmarks": [1, 1404],
            "lips": [1, 160],
            "right_eye": [1, 142],
            "left_eye": [1, 142],
            "right_iris": [1, 10],
            "left_iris": [1, 10],
            "score": [1, 1],
        },
    ),
    "iris": (
        "mediapipe/modules/iris_landmark/iris_landmark.tflite",
        {"lids": [1, 213], "iris": [1, 15]},
    ),
    "person_mask": (
        "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
        {"mask": [1, 256, 256, 1]},
    ),
}


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: networks.py WHEEL FOLDER")
    wheel, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name, (member, outputs) in NETWORKS.items():
            model = convert(archive.read(member), ["image"], outputs, name)
            target = folder / f"{name}.onnx"
            # Written beside and renamed, so that a killed set-up leaves no half file.
            partial = target.with_suffix(".partial")
            partial.write_bytes(model)
            partial.replace(target)
            print(f"{target.name}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
