// Compiled once for each level, with TRIMATTE_LEVEL = baseline, v3 or v4.
#include "kernels.hpp"

#include <math.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace trimatte::simd::TRIMATTE_LEVEL {
namespace {

// clang-format off: the others need the first.
#include "vector.inl"
#include "kernels_closed_form.inl"
#include "kernels_multigrid.inl"
#include "kernels_patches.inl"
#include "kernels_prolongation.inl"
#include "kernels_multilevel.inl"
#include "kernels_network.inl"
#include "kernels_sampling.inl"
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
                      rectify_gradient,
                      adam,
                      pair_costs,
                      draw_around,
                      take_cheaper};

}  // namespace trimatte::simd::TRIMATTE_LEVEL
