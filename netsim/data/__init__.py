"""Bundled data: handwritten digits (`digits.npz`, licence in DIGITS-LICENSE.txt)."""
