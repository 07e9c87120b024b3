"""Games other than the paper's, as data, and the gradient penalties that they want."""
