"""Run any task of the catalog, and check the receipts that runs leave."""
