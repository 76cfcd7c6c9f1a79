"""The command line on a folder of photographs: add, find, copies, look, info, remove, backup, restore."""
