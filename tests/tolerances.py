"""One number for each thing compared, with the reason."""

# Entries of a Laplacian against the reference: both in float64; whitened flat windows multiply rounding by the
# inverse of epsilon / n (1e8).
LAPLACIAN = 1e-7
# L times what it must annul, in units of its entries (about 1).
LAPLACIAN_NULL = 1e-9
# Alpha of a direct solution against another direct solution of the same system, in alpha; the promise.
ALPHA_DIRECT = 1e-6
# Alpha of an iterative solver at the least tolerance against a direct solution, in pictures of noise.
ALPHA_ROUNDED = 1e-11
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
# Alpha, confidence and colours of shared sampling, computed in float32, of a pixel for which no choice differs.
SHARED_SAMPLING = 1e-4
# Error measures against plain twins, in thousands or as means: the number.
METRIC = 1e-9
# Products of large-kernel matting against window by window, relative to the largest entry: both in float64.
LARGE_KERNEL_PRODUCT = 1e-10
# Colours of closed-form layers as they are seen (F times alpha, B times 1 - alpha) against a direct solution: the
# method's default promise.
COLOUR_SEEN = 1e-3
# The same without deep pixels at a tolerance of 1e-5 and alpha from 0.05 to 0.95, divided by that alpha.
LAYERS_TIGHT = 2e-4
# Entries of KNN matting's operator with soft weights: sums of up to 60 numbers that the core keeps in float32.
KNN_SOFT = 1e-6
# Largest error of alpha that trimatte.pymatting promises with PyMatting's default options.
PYMATTING = 1e-4
# Alpha of the prior of a known background, computed in float32, and squared distances of colours.
KNOWN_BACKGROUND = 1e-6
# Its confidence, in which the variance of alpha counts 400 times.
KNOWN_BACKGROUND_CONFIDENCE = 1e-5
