"""Drawing: arrays and axes in, no files and no statistics; `saved_figure` alone touches the disk."""
