"""Optimisation steps as plain ONNX graphs.

A *step graph* holds one whole step of an optimisation: forward pass, loss, backward pass and the Adam update. It uses
standard operators only (ai.onnx), so any ONNX Runtime build can train with it; the host program merely loops it.

    adam      flat parameters with learning-rate groups, the Adam update (Kingma & Ba 2015)
    trace     a torch function -> a functional ATen graph (make_fx, functionalize, decompositions)
    lower     an ATen graph -> ONNX, with constants folded and common sub-expressions merged
    export    the two together: named tensors in, an ONNX file out
    phase     an optimisation phase (init, view, step, finish) and its files, as docs/packs.md describes
    share     constants that several models hold, kept once
    run       a reference host that drives phases on ONNX Runtime
    check     step graphs against torch autograd
"""
