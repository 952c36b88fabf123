"""Experiments: frozen data that say what is drawn, what is looked at and what is estimated."""
