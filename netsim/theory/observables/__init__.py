"""Means and cumulants of functions of a few neurons: infinite width, series in 1/n, exact law."""
