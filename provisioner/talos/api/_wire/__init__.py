"""Messages and stubs generated from the `.proto` files here by `make wire`; never edited by hand."""
