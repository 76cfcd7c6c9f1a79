"""Watches: members are told of new pictures that fit what they asked for."""
