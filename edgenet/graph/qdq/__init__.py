"""Q/DQ in graphs: inserting it, aligning its scales, and the format each runtime wants."""
