"""The words, one file per family. Importing the package declares them all."""

import importlib
import pkgutil

for module in pkgutil.iter_modules(__path__, __name__ + "."):
    importlib.import_module(module.name)
