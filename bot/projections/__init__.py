"""Read models: folds over events that can be dropped and rebuilt."""
