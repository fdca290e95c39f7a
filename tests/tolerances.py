"""One number for each thing compared, with the reason."""

# Entries of a Laplacian against the reference: both in float64; whitened flat windows multiply rounding by the
# inverse of epsilon / n (1e8).
LAPLACIAN = 1e-7
# L times what it must annul, in units of its entries (about 1).
LAPLACIAN_NULL = 1e-9
# Alpha of a direct solution against another direct solution of the same system, in alpha; the promise.
ALPHA_DIRECT = 1e-6
# Alpha of a float32 array that should hold the same number as a float64 one.
ALPHA_FLOAT32 = 1e-7
# Alpha of conjugate gradients at a relative residual of 1e-12 against a direct solution.
ALPHA_CG = 1e-5
# Colours of layers, computed in float32, against the reference in float64.
LAYERS = 2e-4
# alpha F + (1 - alpha) B against the image with exact_composite: float32 rounding of three numbers.
COMPOSITE_EXACT = 3e-7
# Alpha of multigrid against a direct solution: its default promise.
ALPHA_TOLERANCE = 1e-3
# Alpha of a solve with a prior against scipy's: the core keeps priors in float32.
ALPHA_PRIOR = 2e-6
# Weights of the patch regression against NumPy's pseudo-inverse, relative to the largest: both in float64,
# condition numbers up to 1e4.
REGRESSION = 1e-8
# Weights and losses of a float32 network after 50 steps against NumPy's in float64: the number.
NETWORK = 1e-5
# A gradient against differences of losses in float64.
GRADIENT = 1e-6
# Cost of a pair of samples, computed in float32, of about 10.
SAMPLING_COST = 1e-3
# Error measures against plain twins, in thousands or as means: the number.
METRIC = 1e-9
# Entries of KNN matting's operator with soft weights: sums of up to 60 numbers that the core keeps in float32.
KNN_SOFT = 1e-6
