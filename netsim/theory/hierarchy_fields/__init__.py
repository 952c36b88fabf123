"""The hierarchy in 1/n for several fields: inputs and their derivatives."""
