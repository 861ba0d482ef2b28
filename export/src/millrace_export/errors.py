"""The exceptions that a user is meant to read."""


class ExportError(Exception):
    """The model, the checkpoint or the options cannot be exported; the message says what to change."""


class VerificationError(ExportError):
    """The exported graph does not give PyTorch's detections."""
