// Multiplication with the prolongation P of multigrid, cell by cell; see
// solve/multigrid/prolongation.hpp. Only kernels.cpp includes this file.
//
// A cell's patch is the cell and the nodes around it, side x side. Lane l of a row of the patch is
// the node l - 1 columns right of the cell's first node. The entry of number b of a node and column
// c of P is at ((row * B + b) * 4 + c) * side + l.

// Returns 1 in the lanes of a patch's row, and 0 in those behind them.
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

// out[c] is the dot product of column c of the patch and r. `rows` points to lane 0 of the patch's
// rows of r; the next number of a node is n floats further.
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

// Computes P e on the own nodes of `count` cells beside each other. Number b of row y, of k rows,
// is written to out + b * n + y * stride. `cells` has the numbers of the cells above, of the cells
// themselves and of the cells below, and Strip::lanes more of each. Number 0 means that there is no
// cell; its patch and its e are zero.
template <int B, int side>
void spread(int64_t count, const float* P, const int32_t* const* cells, const float* e, int64_t n, int64_t stride,
            float* out) {
    constexpr int k = side - 2;
    const F8 in_patch = lanes_of_patch<side>();
    // Sums of the rows from lane 0 of a cell's patch on. Cells to the left have added their part.
    F8 sum[k * B] = {};
    for (int64_t j = 0; j < count; ++j) {
        // The row of the cell below is not in the cache, and the hardware does not foresee that it
        // is read.
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
                // The lanes that the next cell adds to are written again. Lane 0 of the first cell
                // belongs to no node of the strip.
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
