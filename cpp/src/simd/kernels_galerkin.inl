// The coarse matrix T^T (I - omega A) A (I - omega A) T for cells of 6 x 6 pixels, one cell after the other; loops of
// multigrid_setup.cpp. Included by kernels.cpp only.
//
// A cell's vectors live on patches: T on its own pixels, A T and P = T - omega A T on 10 x 10, A P on 14 x 14. A row of
// a patch is a vector of 16 floats that begins 5 pixels left of the cell.

constexpr int cell = 6;
constexpr int patch_start = -5;
constexpr int M_rows = cell + 4;
constexpr int AP_rows = cell + 8;

// out[row] += A in for rows [-4 + first, ...) of the dense stencil; `in` has in_rows rows, the first being row
// in_first (relative to the cell); `out` out_rows, from out_first. Row strides in_stride, out_stride; lane l of a row
// is at l + margin.
template <int C, int in_first, int in_rows, int out_first, int out_rows>
TRIMATTE_INLINE void patch_product(const float* S, int64_t width, const float* in, int in_stride, int in_margin,
                                   float* out, int out_stride, int out_margin) {
    for (int y = out_first; y < out_first + out_rows; ++y) {
        F16 acc[C];
        const bool own = y >= in_first && y < in_first + in_rows;
        for (int c = 0; c < C; ++c) {
            acc[c] = own ? load<F16>(in + ((y - in_first) * C + c) * in_stride + in_margin) : F16{};
        }
        for (int dy = -2; dy <= 2; ++dy) {
            const int v = y + dy - in_first;
            if (v < 0 || v >= in_rows) {
                continue;
            }
            const float* there = in + v * C * in_stride + in_margin;
            for (int dx = -2; dx <= 2; ++dx) {
                if (dy == 0 && dx == 0) {
                    continue;
                }
                const bool forward = dy > 0 || (dy == 0 && dx > 0);
                const int plane = forward ? offset_index<2>(dy, dx) : offset_index<2>(-dy, -dx);
                const float* a =
                    forward ? S + ((y + 4) * 12 + plane) * width : S + ((y + dy + 4) * 12 + plane) * width + dx;
                const F16 entry = load<F16>(a);
                for (int c = 0; c < C; ++c) {
                    acc[c] += entry * load<F16>(there + c * in_stride + dx);
                }
            }
        }
        for (int c = 0; c < C; ++c) {
            store(out + ((y - out_first) * C + c) * out_stride + out_margin, acc[c]);
        }
    }
}

// P: 10 rows x C x 16, lane 0 being pixel -2 of the cell. AP: 14 rows x C x 48, pixel x being at x + 16.
template <int C>
void galerkin_patches(const float* S, int64_t width, const float* T, int64_t n, int64_t stride, float omega, float* P,
                      float* AP) {
    float T_patch[cell * C * 24] = {};
    float M[M_rows * C * 24] = {};
    for (int y = 0; y < cell; ++y) {
        for (int c = 0; c < C; ++c) {
            memcpy(T_patch + (y * C + c) * 24 + 4 - patch_start, T + c * n + y * stride, cell * sizeof(float));
        }
    }
    patch_product<C, 0, cell, -2, M_rows>(S, width, T_patch, 24, 4, M, 24, 4);
    for (int y = 0; y < M_rows; ++y) {
        for (int c = 0; c < C; ++c) {
            F16 p = -omega * load<F16>(M + (y * C + c) * 24 + 4 - patch_start - 2);
            if (y >= 2 && y < 2 + cell) {
                p += load<F16>(T_patch + ((y - 2) * C + c) * 24 + 4 - patch_start - 2);
            }
            store(P + (y * C + c) * 16, p);
        }
    }
    if (AP == nullptr) {
        return;
    }
    patch_product<C, -2, M_rows, -4, AP_rows>(S, width, M, 24, 4, AP, 48, 16 + patch_start);
    for (int y = 0; y < AP_rows; ++y) {
        for (int c = 0; c < C; ++c) {
            float* row = AP + (y * C + c) * 48;
            F16 ap = -omega * load<F16>(row + 16 + patch_start);
            if (y >= 2 && y < 2 + M_rows) {
                ap += load<F16>(M + ((y - 2) * C + c) * 24 + 4);
            }
            store(row + 16 + patch_start, ap);
        }
    }
}

// out = P_i^T A P_j, cell i lying (dy, dx) cells from cell j.
template <int C>
void galerkin_contract(const float* P, const float* AP, int dy, int dx, float* out) {
    const int first = dy < 0 ? cell - 2 : 0;  // rows of P_i that A P_j reaches
    for (int u = 0; u < C; ++u) {
        F16 acc[C] = {};
        for (int y = first; y < M_rows; ++y) {
            const F16 p = load<F16>(P + (y * C + u) * 16);
            const float* ap = AP + (y - 2 + cell * dy + 4) * C * 48 + 16 - 2 + cell * dx;
            for (int v = 0; v < C; ++v) {
                acc[v] += p * load<F16>(ap + v * 48);
            }
        }
        for (int v = 0; v < C; ++v) {
            float lane[16];
            store(lane, acc[v]);
            const F8 half = load<F8>(lane) + load<F8>(lane + 8);
            store(lane, half);
            out[u * C + v] = ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
        }
    }
}

template <int C>
constexpr GalerkinKernels galerkin_kernels() {
    return {galerkin_patches<C>, galerkin_contract<C>};
}
