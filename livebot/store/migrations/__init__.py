"""How a database comes to be as `tables` says, from wherever it is."""
