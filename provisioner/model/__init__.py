"""The nouns of `prov`: frozen values without IO and without knowledge of any provider."""
