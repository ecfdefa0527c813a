"""Everything that `prov` knows about Talos Linux."""
