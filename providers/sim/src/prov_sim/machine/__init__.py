"""One simulated Talos machine: its stages, its configuration, its API, its part in etcd and Kubernetes."""
