"""The hierarchy in 1/n for one input: joint cumulants of S to any power of 1/n."""
