"""Report: records and tables in, figures and one self-contained page out. No JAX."""
