"""Recursions, closed forms and series of named quantities in symbols."""
