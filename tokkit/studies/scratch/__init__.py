"""The same small decoder trained from nothing under several tokenizations."""
