"""The neural tangent kernel of one input: infinite width, first order in 1/n, exact moments."""
