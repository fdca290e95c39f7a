// This file is compiled once for each level, with TRIMATTE_LEVEL = baseline, v3 or v4.
#include "simd/kernels.hpp"

#include <math.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace trimatte::simd::TRIMATTE_LEVEL {
namespace {

// clang-format off: the other files need the first.
#include "simd/vector.inl"
#include "simd/kernels_closed_form.inl"
#include "simd/kernels_multigrid.inl"
#include "simd/kernels_patches.inl"
#include "simd/kernels_prolongation.inl"
#include "simd/kernels_multilevel.inl"
#include "simd/kernels_layers.inl"
#include "simd/kernels_network.inl"
#include "simd/kernels_sampling.inl"
#include "simd/kernels_shared_sampling.inl"
#include "simd/kernels_neighbours.inl"
#include "simd/kernels_cholesky.inl"
// clang-format on

}  // namespace

extern const Kernels kernels;
const Kernels kernels{whiten,
                      add_entries,
                      scale_entries,
                      apply_entries,
                      weigh,
                      normalise,
                      update,
                      make_exact,
                      relax_layers,
                      multiply_layers,
                      restrict_layers,
                      measure_layer,
                      advance_layer,
                      stencil_kernels<1>(),
                      stencil_kernels<4>(),
                      wide_product,
                      measured_product,
                      start,
                      restart,
                      advance,
                      dot,
                      combine,
                      matrix_product,
                      rectify,
                      add_half_rectified,
                      rectify_gradient,
                      adam,
                      pair_costs,
                      draw_around,
                      take_cheaper,
                      pair_distortions,
                      keep_lowest,
                      add_smoothed,
                      find_nearest,
                      find_near_marked,
                      subtract_product,
                      factor_columns,
                      solve_columns,
                      subtract_columns,
                      subtract_dots};

}  // namespace trimatte::simd::TRIMATTE_LEVEL
