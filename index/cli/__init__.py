"""The command line on a folder of photographs: add, find, look, info, remove, backup, restore."""
