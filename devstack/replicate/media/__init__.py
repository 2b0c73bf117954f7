"""Real media without a model: the same input and seed always give the same bytes.

`produce` runs in a thread; nothing here touches the event loop.
"""

from devstack.replicate.media.production import (
    Files,
    MediaFile,
    ModelFailed,
    Production,
    Request,
    produce,
)

__all__ = ["Files", "MediaFile", "ModelFailed", "Production", "Request", "produce"]
