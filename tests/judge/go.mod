// This file only marks the place: the modules are in the folders beside it, one for each minor release.
module judge

go 1.26.6
