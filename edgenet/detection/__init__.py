"""What a detector's answers mean on the host: its card's settings, truth in COCO's form, average precision."""
