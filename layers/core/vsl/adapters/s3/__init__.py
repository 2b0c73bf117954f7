"""The media bucket: objects, presigned addresses, uploads, removal."""
