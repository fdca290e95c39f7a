// Multiplication with the prolongation P of multigrid, cell by cell; see
// solve/multigrid/prolongation.hpp. Only kernels.cpp includes this file.
//
// A cell's patch is the cell and the ring of nodes around it, side x side nodes. Lane l of a row of
// the patch is the node l - 1 columns right of the cell's first node. The patch of cell i begins at
// P + i * side * B * 4 * side. In it, the entry of number b of a node and column c of P is at
//     ((row * B + b) * 4 + c) * side + l,
// so that one vector load reads a row of the patch and up to 3 floats of what follows.

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

// Computes the numbers of P^T r that belong to one cell: out[c] is the dot product of column c of
// the cell's patch, which P points to, and r. rows[y] points to lane 0 of row y of the patch in
// plane 0 of r; number b of the nodes is b * n floats further.
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

// Computes P e on the own nodes of `count` cells beside each other, those of a strip. Number b of
// the nodes in row y, of k rows, is written from out + b * n + y * stride on. cells[0], cells[1]
// and cells[2] point to the numbers of the cells above, of the cells themselves and of the cells
// below; Strip::lanes numbers behind the last of each may be read. The four numbers of cell i start
// at e[i * 4]. Number 0 means that there is no cell; its patch and its e are zero. No cell lies
// beside a strip, and a cell across a corner of the strip then adds nothing to it (see blend), so
// that the cells of these three lists are all that add to the strip's nodes.
template <int B, int side>
void spread(int64_t count, const float* P, const int32_t* const* cells, const float* e, int64_t n, int64_t stride,
            float* out) {
    constexpr int k = side - 2;
    const F8 in_patch = lanes_of_patch<side>();
    // sum[y * B + b] is the sum so far for number b of the nodes in row y, in the lanes of the
    // patch of the cell before.
    F8 sum[k * B] = {};
    for (int64_t j = 0; j < count; ++j) {
        // The first row of the patch below, eight cells ahead, is prefetched: it is not in the
        // cache, and the hardware does not foresee that it is read.
        const float* below = P + int64_t{cells[2][j + Strip::lanes]} * (side * B * columns * side);
        for (int i = 0; i < B * columns * side; i += 16) {
            TRIMATTE_PREFETCH(below + i);
        }
        // Returns the part that cell cells[of][j] adds to number b of the nodes in a row of its
        // patch.
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
                // The next cell adds its part to the last two lanes of the patch and writes them
                // again. Lane 0 of the first cell belongs to no node of the strip and is not
                // written.
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
