"""TensorFlow Lite to ONNX, for the small convolutional networks that set-up takes from the mediapipe wheel."""
