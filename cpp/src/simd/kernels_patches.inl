// The prolongation P of the multigrid, cell by cell; see solve/multigrid_prolongation.hpp. Included by kernels.cpp
// only.
//
// A cell's patch is the cell and the nodes round it, side x side. Lane l of a row of it is the node l - 1 columns right
// of the cell's first: number b of a node in column c is at ((row * B + b) * 4 + c) * side + l.

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
