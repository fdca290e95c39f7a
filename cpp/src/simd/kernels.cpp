// This file is compiled once for each level, with TRIMATTE_LEVEL = baseline, v3 or v4.
#include "simd/kernels.hpp"

#include <math.h>
#include <string.h>

// TRIMATTE_VECTORS: the compiler has the vector types of GCC and Clang. TRIMATTE_PLAIN_KERNELS asks
// these for the loops that other compilers get, so that such loops can be tested.
#if defined(__GNUC__) && !defined(TRIMATTE_PLAIN_KERNELS)
#define TRIMATTE_VECTORS
#endif
// TRIMATTE_FUSED: this level has instructions that round a * b + c once. Microsoft's compiler has
// no macro for them; every processor with AVX2 has them, and dispatch.cpp asks for both.
#if defined(__FMA__) || defined(__aarch64__) || (defined(_MSC_VER) && defined(__AVX2__))
#define TRIMATTE_FUSED
#endif
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#if defined(_MSC_VER) && !defined(__clang__)
#pragma fp_contract(off)
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
#include "simd/kernels_nearest.inl"
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
                      pair_inputs,
                      pair_outputs,
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
