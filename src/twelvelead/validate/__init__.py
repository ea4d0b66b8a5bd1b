"""The judge: sees outcomes and predicted risks, never the model that made them."""
