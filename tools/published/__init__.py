"""A model pack from the checkpoints of NeRFFaceSpeech (Kim et al. 2024), which the user has downloaded.

    python -m tools.published --weights DIR -o models/nerffacespeech

    errors     what a user is told when files do not fit
    opcodes    pickles as data: nothing in them is executed
    storages   tensors in PyTorch's files, zip and older
    pickles    one reader for all published files
    source     a network takes its tensors by their published names, and every shape is checked
    layers     convolutions with their batch normalisation folded in
    resnet     residual networks, used by two of the following
    deep3d, bfm, audio2exp, bisenet, lipaint     inference halves of the published networks, a file each
    perceptual, lpips, vgg                       distances of pictures for the inversion
    stylenerf  the generator and its inversion
    fit        coefficients from landmarks
    weights    which files fill which roles, under what licence
    landmarks  68 points among those of a face mesh
    roles      the networks under the contract of docs/packs.md
    half       models that compute in float16
    pack       pack.yaml
    numbers    weights that follow from names
    rehearsal  the exporter and the four modes on random weights
    whole      a whole from_image, held to frames of the published code
    random_weights   a folder of files with the published names and shapes
"""
