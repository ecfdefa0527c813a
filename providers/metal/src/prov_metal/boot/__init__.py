"""The boot service: what hosts fetch while they are made, over HTTP, DHCP and TFTP."""
