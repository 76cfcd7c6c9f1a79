"""Magpie on Discord: watches channels, indexes their pictures, answers questions for them."""
