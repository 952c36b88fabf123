"""Claims about joint cumulants of random fully connected networks (Hanin, arXiv 2204.01058)."""
