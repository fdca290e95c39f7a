"""Alpha by the methods that PyMatting has."""
