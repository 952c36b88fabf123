"""Points run, predictions made, the Python interface."""
