"""Magpie on Discord: watches channels, indexes their pictures, answers who looks for one."""
