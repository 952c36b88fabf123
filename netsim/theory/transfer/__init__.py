"""The exact law at finite width for one input, by transfer matrices."""
