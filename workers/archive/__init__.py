"""Images that no registry gives back, saved on another disk before they go, and restored from there."""
