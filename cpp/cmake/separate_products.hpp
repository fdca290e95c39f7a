// Eigen.cmake includes this before every file. On arm64 Eigen would round a * b + c once where it does
// so twice on x86-64. Clang's arm_neon.h has to be read first: without the macro it is incomplete.
#pragma once

#if defined(__aarch64__)
#include <arm_neon.h>
#undef __ARM_FEATURE_FMA
#endif
