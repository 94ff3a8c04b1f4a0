"""Writing with a large vocabulary, found through an index of nearest neighbours."""
