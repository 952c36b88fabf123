"""Expectations of products of activations of plain inputs, without derivatives."""
