"""What the operator says about itself."""
