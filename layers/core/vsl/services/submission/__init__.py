"""One paid prediction per job: submit it, find it again when its answer was lost, discard a second one."""
