"""Quiet notes below pictures that were posted before."""
