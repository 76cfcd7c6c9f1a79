"""The languages in which Magpie speaks: its sentences come from here, in the reader's language."""
