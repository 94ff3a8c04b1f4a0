"""What is in a vocabulary, and which of it text can give."""

from tokkit.analysis.audit.run import Audit, audit

__all__ = ["Audit", "audit"]
