"""A random `audio2exp` of a few kilobytes with the shapes of the real one, for tests.

python -m tools.speech.tiny models/tiny
"""

import argparse
import pathlib

import torch

from .export import export
from .network import Audio2Exp


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    torch.manual_seed(0)
    model = Audio2Exp(width=3, hidden=8, embedding=8, head=8)
    for name, difference in export(model, parser.parse_args().folder).items():
        print(f"{name}: differs from PyTorch by {difference:.1e}")


if __name__ == "__main__":
    main()
