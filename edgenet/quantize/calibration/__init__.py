"""From images to ranges: streams of images, observers, histograms, statistics of channels."""
