"""The command line on a folder of photographs."""
