"""Network -> prediction; no samples, no JAX. Import the module you need."""
