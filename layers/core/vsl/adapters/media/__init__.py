"""What a media file is: its type, its size, its length; and its thumbnails."""
