"""``spiral bench``: how fast each part is on this machine, beside the least it could cost."""
