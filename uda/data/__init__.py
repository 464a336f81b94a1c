"""Images in, batches out. Importing the package registers the domains; heavy readers are imported on use."""

from uda.data import builtin, digits, folder

__all__ = ["builtin", "digits", "folder"]
