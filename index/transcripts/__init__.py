"""Transcripts: the words that were read in pictures, and how they are found."""
