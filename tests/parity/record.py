"""Records what networks of the tiny pack give in ONNX Runtime for Python: `python tests/parity/record.py`, in an environment that
trains packs. To be run again when models/tiny was made anew."""

from pathlib import Path

import numpy as np
import onnxruntime
import yaml
from safetensors.numpy import save_file

FOLDER = Path(__file__).parent / "golden"
PACK = Path(__file__).parents[2] / "models/tiny"


def run(role, **inputs):
    session = onnxruntime.InferenceSession(PACK / f"{role}.onnx", providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    taken = {port.name for port in session.get_inputs()}
    return dict(zip(names, session.run(None, {name: x for name, x in inputs.items() if name in taken})))


def main():
    about = yaml.safe_load((PACK / "pack.yaml").read_text())
    latent = onnxruntime.InferenceSession(PACK / "mapping.onnx", providers=["CPUExecutionProvider"]).get_inputs()[0].shape[1]
    units, coefficients = len(about["expression"]), about["coefficients"]["size"]
    numbers = np.random.default_rng(14)
    normal = lambda *shape: numbers.standard_normal(shape, dtype=np.float32)
    unit = lambda *shape: numbers.random(shape, dtype=np.float32)
    recorded = {
        "mel": normal(2, 1, 80, 36),
        "reference": 0.2 * unit(2, 1, units),
        "ratio": unit(2, 1),
        "coefficients": 0.2 * normal(2, coefficients),
        "z": normal(1, latent),
        "frame": unit(3, units),
        "rest": 0.1 * unit(1, units),
    }
    spoken = run("audio2exp", mel=recorded["mel"], reference=recorded["reference"], ratio=recorded["ratio"])
    recorded["spoken"] = spoken["expression"]
    head = run("morphable_model", coefficients=recorded["coefficients"])
    recorded["kept"] = np.ascontiguousarray(head["landmarks"][:, ::9])
    recorded["contour"] = head["contour"]
    w = run("mapping", z=recorded["z"], psi=np.array([0.7], np.float32))["w"]
    painted = run("lipaint", w=w, expression=recorded["frame"], reference=recorded["rest"])
    recorded["painted"] = painted["w_inpainted"]
    save_file(recorded, FOLDER / "tiny.safetensors")


if __name__ == "__main__":
    main()
