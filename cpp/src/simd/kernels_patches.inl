// The prolongation P of the multigrid, cell by cell; see solve/multigrid_prolongation.hpp. Included by kernels.cpp
// only.
//
// A cell's patch is the cell and the nodes round it, side x side. Lane l of a row of it is the node l - 1 columns right
// of the cell's first: number b of a node in column c is at ((row * B + b) * 4 + c) * side + l.

constexpr int columns = 4;

// 1 in the lanes of a patch's row, 0 in those behind them.
template <int side>
TRIMATTE_INLINE F8 lanes_of_patch() {
    float lane[8];
    for (int i = 0; i < 8; ++i) {
        lane[i] = i < side ? 1.0f : 0.0f;
    }
    return load<F8>(lane);
}

TRIMATTE_INLINE float sum_of_lanes(const F8& v) {
    float lane[8];
    store(lane, v);
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

// out[c] = column c of the patch . r; rows: where lane 0 of the patch's rows is, n to a node's next number.
template <int B, int side>
void gather(const float* P, const float* const* rows, int64_t n, float* out) {
    const F8 in_patch = lanes_of_patch<side>();
    F8 sum[columns] = {};
    for (int row = 0; row < side; ++row) {
        for (int b = 0; b < B; ++b) {
            const F8 r = in_patch * load<F8>(rows[row] + b * n);
            for (int c = 0; c < columns; ++c) {
                sum[c] += load<F8>(P) * r;
                P += side;
            }
        }
    }
    for (int c = 0; c < columns; ++c) {
        out[c] = sum_of_lanes(sum[c]);
    }
}

// P e on the own nodes of `count` cells beside each other, all k rows: number b of row y at out + b * n + y * stride.
// cells: the numbers of those in the row above, their own, those in the row below, and Strip::lanes more of each; 0 for
// none, whose patch and e are zero.
template <int B, int side>
void spread(int64_t count, const float* P, const int32_t* const* cells, const float* e, int64_t n, int64_t stride,
            float* out) {
    constexpr int k = side - 2;
    const F8 in_patch = lanes_of_patch<side>();
    F8 sum[k * B] = {};  // of a row from lane 0 of a cell's patch on: cells to the left have added their part
    for (int64_t j = 0; j < count; ++j) {
        // The one row of the cell below is not in the cache, nor does the hardware see it coming.
        const float* below = P + int64_t{cells[2][j + Strip::lanes]} * (side * B * columns * side);
        for (int i = 0; i < B * columns * side; i += 16) {
            TRIMATTE_PREFETCH(below + i);
        }
        const auto part = [&](int of, int row, int b) TRIMATTE_LAMBDA {
            const float* p = P + ((int64_t{cells[of][j]} * side + row) * B + b) * (columns * side);
            const float* e_j = e + int64_t{cells[of][j]} * columns;
            F8 v = e_j[0] * load<F8>(p);
            for (int c = 1; c < columns; ++c) {
                v += e_j[c] * load<F8>(p + c * side);
            }
            return v;
        };
        for (int y = 0; y < k; ++y) {
            for (int b = 0; b < B; ++b) {
                F8 v = part(1, y + 1, b);
                if (y == 0) {
                    v += part(0, side - 1, b);
                }
                if (y == k - 1) {
                    v += part(2, 0, b);
                }
                F8& total = sum[y * B + b];
                total = without_first<k>(total) + in_patch * v;
                // The lanes that the next cell adds to are written again. The very first is not the strip's.
                float* at = out + b * n + y * stride + j * k - 1;
                if (j > 0) {
                    store(at, total);
                } else {
                    float lane[8];
                    store(lane, total);
                    memcpy(at + 1, lane + 1, 7 * sizeof(float));
                }
            }
        }
    }
}

// out: upper triangle of P^T P of one patch, 4 x 4.
template <int B, int side>
void patch_gram(const float* P, double* out) {
    const F8 in_patch = lanes_of_patch<side>();
    D8 sum[columns * columns] = {};
    for (int row = 0; row < side * B; ++row) {
        D8 p[columns];
        for (int c = 0; c < columns; ++c) {
            p[c] = widen(in_patch * load<F8>(P + c * side));
        }
        for (int c = 0; c < columns; ++c) {
            for (int d = c; d < columns; ++d) {
                sum[c * columns + d] += p[c] * p[d];
            }
        }
        P += columns * side;
    }
    for (int c = 0; c < columns; ++c) {
        for (int d = c; d < columns; ++d) {
            out[c * columns + d] = total(sum[c * columns + d]);
        }
    }
}

// P = P W of one patch, W upper triangular (4 x 4, row-major).
template <int B, int side>
void patch_transform(const double* W, float* P) {
    for (int row = 0; row < side * B; ++row) {
        D8 p[columns];
        for (int c = 0; c < columns; ++c) {
            p[c] = widen(load<F8>(P + c * side));
        }
        for (int c = 0; c < columns; ++c) {
            D8 sum = W[c] * p[0];
            for (int d = 1; d <= c; ++d) {
                sum += W[d * columns + c] * p[d];
            }
            float lane[8];
            store(lane, narrow(sum));
            memcpy(P + c * side, lane, side * sizeof(float));
        }
        P += columns * side;
    }
}

// The rest is for pixels. A row of A P is a vector of 16 floats that begins 5 pixels left of the cell; S holds the
// stencil round the cell, rows -3 ... 6 of 12 planes of `width` floats, from that column on.
constexpr int pixel_side = 6;
constexpr int pixels_left = 5;
constexpr int rows_above = 3;

// Rows [first, first + rows) of A P, relative to the cell; in: P, its rows 24 floats apart with zeros round the patch.
template <int first, int rows>
TRIMATTE_INLINE void patch_product(const float* S, int64_t width, const float* in, float* out) {
    for (int y = first; y < first + rows; ++y) {
        F16 acc[columns];
        const bool own = y >= -1 && y < pixel_side - 1;
        for (int c = 0; c < columns; ++c) {
            acc[c] = own ? load<F16>(in + ((y + 1) * columns + c) * 24 + 4) : F16{};
        }
        for (int dy = -2; dy <= 2; ++dy) {
            const int v = y + dy + 1;
            if (v < 0 || v >= pixel_side) {
                continue;
            }
            const float* there = in + v * columns * 24 + 4;
            for (int dx = -2; dx <= 2; ++dx) {
                if (dy == 0 && dx == 0) {
                    continue;
                }
                const bool forward = dy > 0 || (dy == 0 && dx > 0);
                const int plane = forward ? offset_index<2>(dy, dx) : offset_index<2>(-dy, -dx);
                const float* a = forward ? S + ((y + rows_above) * 12 + plane) * width
                                         : S + ((y + dy + rows_above) * 12 + plane) * width + dx;
                const F16 entry = load<F16>(a);
                for (int c = 0; c < columns; ++c) {
                    acc[c] += entry * load<F16>(there + c * 24 + dx);
                }
            }
        }
        for (int c = 0; c < columns; ++c) {
            store(out + ((y - first) * columns + c) * 16, acc[c]);
        }
    }
}

TRIMATTE_INLINE void lay_out_patch(const float* P, float* in) {
    for (int i = 0; i < pixel_side * columns; ++i) {
        memcpy(in + i * 24 + 4 + pixels_left - 1, P + i * pixel_side, pixel_side * sizeof(float));
    }
}

// A P on the patch itself, in the layout of P.
void patch_gradient(const float* S, int64_t width, const float* P, float* out) {
    float in[pixel_side * columns * 24] = {};
    float rows[pixel_side * columns * 16];
    lay_out_patch(P, in);
    patch_product<-1, pixel_side>(S, width, in, rows);
    for (int i = 0; i < pixel_side * columns; ++i) {
        memcpy(out + i * pixel_side, rows + i * 16 + pixels_left - 1, pixel_side * sizeof(float));
    }
}

// A P wherever it is not zero: 10 rows x 4 x 16, from row -3.
void patch_image(const float* S, int64_t width, const float* P, float* AP) {
    float in[pixel_side * columns * 24] = {};
    lay_out_patch(P, in);
    patch_product<-rows_above, pixel_side + 4>(S, width, in, AP);
}

// out = P_i^T A P_j (4 x 4), cell i lying (dy, dx) cells from cell j.
void patch_contract(const float* P, const float* AP, int dy, int dx, float* out) {
    constexpr int k = pixel_side - 2;
    const F8 in_patch = lanes_of_patch<pixel_side>();
    const int first = dy < 0 ? 2 : 0;  // rows of P_i that A P_j reaches
    F8 acc[columns * columns] = {};
    for (int row = first; row < pixel_side; ++row) {
        const float* p = P + row * columns * pixel_side;
        const float* ap = AP + (row - 1 + k * dy + rows_above) * columns * 16 + k * dx - 1 + pixels_left;
        for (int u = 0; u < columns; ++u) {
            const F8 here = in_patch * load<F8>(p + u * pixel_side);
            for (int v = 0; v < columns; ++v) {
                acc[u * columns + v] += here * load<F8>(ap + v * 16);
            }
        }
    }
    for (int p = 0; p < columns * columns; ++p) {
        out[p] = sum_of_lanes(acc[p]);
    }
}

template <int B, int side>
constexpr StencilKernels stencil_kernels() {
    return {product<B>,          subtract<B>,             smooth<B>, gather<B, side>, spread<B, side>,
            patch_gram<B, side>, patch_transform<B, side>};
}
