"""What a detector's answers mean: its card's settings, truth in COCO's form, average precision."""
