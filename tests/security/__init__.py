"""What the product promises against accidents and attacks, tried on it for real."""
