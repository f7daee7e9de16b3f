"""The Library screen: pairs for this machine, search, downloads, what is on disk."""
