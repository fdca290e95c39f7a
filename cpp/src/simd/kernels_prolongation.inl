// These loops make the prolongation P of multigrid, eight cells at a time, one in each lane of a
// vector; see solve/multigrid/prolongation.hpp. Only kernels.cpp includes this file.
//
// While P is made, the patch of cell i takes the Patch::size floats from i * size on. In it, the
// entry of number b of node (row, lane) and of column c is at ((row * side + lane) * B + b) * 4 +
// c. Row 0 and lane 0 are the nodes above and left of the cell (this lane is a column of the patch,
// not one of a vector). The factor R of a cell (4 x 4, row-major) takes 16 floats. In the arrays X,
// Y and E of vectors F8 below, the same place holds the numbers of all eight cells. Cell 0 stands
// for no cell: its numbers read as zeros, and nothing is written to it.

template <int B>
struct Patch : PatchOf<B> {
    using PatchOf<B>::reach, PatchOf<B>::side;
    static constexpr int offsets = reach + reach * (2 * reach + 1);  // number of forward offsets
    // Returns the place of a node's first entry in a patch.
    static constexpr int node(int row, int lane) { return (row * side + lane) * B * columns; }
};

// Returns the numbers of the group's neighbours (dy, dx).
TRIMATTE_INLINE const int32_t* neighbours(const CellGroup& group, int dy, int dx) {
    return group.cell[3 * (dy + 1) + dx + 1];
}

// The outer nodes of a cell lie along its border; ramp is a neighbouring cell's weight there.
constexpr float ramp = 1.0f / 3;

// Lane i of out[j] becomes from[i][j], for j < count. `count` is 4, or a multiple of 8.
template <int count>
TRIMATTE_INLINE void load_lanes(const float* const* from, F8* out) {
    if constexpr (count == 4) {
        for (int i = 0; i < 4; ++i) {
            out[i] = load_halves(from[i], from[i + 4]);
        }
        transpose_halves(out);
    } else {
#pragma GCC unroll 1
        for (int j = 0; j < count; j += 8) {
            for (int i = 0; i < 8; ++i) {
                out[j + i] = load<F8>(from[i] + j);
            }
            transpose(out + j);
        }
    }
}

// to[i][j] becomes lane i of v[j], for j < count. v is destroyed.
template <int count>
TRIMATTE_INLINE void store_lanes(F8* v, float* const* to) {
    if constexpr (count == 4) {
        transpose_halves(v);
        for (int i = 0; i < 4; ++i) {
            store_halves(to[i], to[i + 4], v[i]);
        }
    } else {
#pragma GCC unroll 1
        for (int j = 0; j < count; j += 8) {
            transpose(v + j);
            for (int i = 0; i < 8; ++i) {
                store(to[i] + j, v[j + i]);
            }
        }
    }
}

// The addresses of eight cells in an array that has `size` floats for each cell. Places are read,
// Targets are written to; the target of cell 0 is `nowhere`, so that its floats stay zero.
struct Places {
    const float* at[8];
    Places(const float* array, const int32_t* cells, int64_t size) {
        for (int i = 0; i < 8; ++i) {
            at[i] = array + cells[i] * size;
        }
    }
};
struct Targets {
    float* at[8];
    Targets(float* array, const int32_t* cells, int64_t size, float* nowhere) {
        for (int i = 0; i < 8; ++i) {
            at[i] = cells[i] == 0 ? nowhere : array + cells[i] * size;
        }
    }
};

// Applies modified Gram-Schmidt to the four columns of X (rows x 4, row-major): X becomes T, where
// X = T R, T has orthonormal columns and R is upper triangular. A column that is nearly a
// combination of the columns before it becomes zero, and so does its diagonal entry of R. That is
// the case if the length of what is left of the column is at most 1e-4 of the length of the first
// column, the constant, or at most 1e-5 of the column's own length before. `triangular` says that X
// consists of upper triangular 4 x 4 squares, one above the other.
template <int rows, bool triangular>
TRIMATTE_INLINE void orthonormalise(F8* X, F8* R) {
    // Calls use(4 i, i % 4) for the rows i in which column c is not zero.
    const auto for_rows = [](int c, const auto& use) TRIMATTE_LAMBDA {
#pragma GCC unroll 1
        for (int i = 0; i < rows; i += 4) {
            for (int u = 0; u < 4; ++u) {
                if (!triangular || u <= c) {
                    use((i + u) * columns, u);
                }
            }
        }
    };
    // Returns the dot product of the columns c and d, where c <= d.
    const auto product = [&](int c, int d) TRIMATTE_LAMBDA {
        F8 sum[4] = {};  // four sums, so that one addition need not wait for the other
        for_rows(c, [&](int i, int u) TRIMATTE_LAMBDA { sum[u] += X[i + c] * X[i + d]; });
        return (sum[0] + sum[1]) + (sum[2] + sum[3]);
    };
    F8 first{};
    for (int c = 0; c < columns; ++c) {
        const F8 own = product(c, c);
        for (int d = 0; d < columns; ++d) {
            R[c * columns + d] = F8{};
        }
        for (int d = 0; d < c; ++d) {
            const F8 along = product(d, c);
            for_rows(d, [&](int i, int) TRIMATTE_LAMBDA { X[i + c] = X[i + c] - along * X[i + d]; });
            R[d * columns + c] = along;
        }
        const F8 rest = product(c, c);
        first = c == 0 ? own : first;
        const F8 inverse = inverse_root_above(rest, 1e-8f * first, 1e-10f * own);
        for_rows(c, [&](int i, int) TRIMATTE_LAMBDA { X[i + c] = inverse * X[i + c]; });
        R[c * columns + c] = rest * inverse;
    }
}

// Makes a first P of the group's cells, and R. The near-null vectors N (B * 4 planes of n numbers)
// are multiplied by the weight of the cell at each node of its patch and then made orthonormal. The
// weights of all cells at a node have the sum 1. In a cell across a corner, (dy, dx), the weight is
// zero unless the cell (dy, 0) exists too.
template <int B>
void blend(const CellGroup& group, const float* N, int64_t n, float* P, float* R) {
    using S = Patch<B>;
    // Returns the weight that the neighbour (dy, dx) has at the cell's outer nodes next to it, and
    // that the cell has at the neighbour's nodes; 0 if there is no such neighbour.
    const auto part = [&](int dy, int dx) {
        float exists[8];
        for (int i = 0; i < 8; ++i) {
            exists[i] = neighbours(group, dy, dx)[i] == 0 ? 0.0f : ramp;
        }
        return load<F8>(exists);
    };
    float one[8];
    for (float& i : one) {
        i = 1;
    }
    const F8 all = load<F8>(one);
    F8 X[S::size], factor[columns * columns];
    for (int row = 0; row < S::side; ++row) {
        const int dy = row == 0 ? -1 : row == S::side - 1 ? 1 : 0;
        const F8 left = part(dy, -1);
        const F8 right = part(dy, 1);
        const F8 down = dy != 0              ? part(dy, 0)
                        : row == 1           ? all - part(-1, 0)
                        : row == S::side - 2 ? all - part(1, 0)
                                             : all;
        for (int e = 0; e < B * columns; ++e) {
            const float* from[8];
            for (int i = 0; i < 8; ++i) {
                from[i] = N + e * n + group.row[row + S::reach][i] - 1;
            }
            F8 v[8];
            load_lanes<8>(from, v);
            for (int lane = 0; lane < S::side; ++lane) {
                const F8 across = lane == 0             ? left
                                  : lane == 1           ? all - left
                                  : lane == S::side - 2 ? all - right
                                  : lane == S::side - 1 ? right
                                                        : all;
                X[S::node(row, lane) + e] = (down * across) * v[lane];
            }
        }
    }
    orthonormalise<S::side * S::side * B, false>(X, factor);
    float nowhere[S::size];
    store_lanes<S::size>(X, Targets(P, neighbours(group, 0, 0), S::size, nowhere).at);
    store_lanes<16>(factor, Targets(R, neighbours(group, 0, 0), 16, nowhere).at);
}

// Loads the matrix entries between the nodes of a window and those at forward offsets, as far as
// the product A P needs them. The window is the patch and `border` nodes all round, `width` nodes
// wide; no entries are loaded for the rows below the patch. The entry between number u of node
// (row, lane) of the window and number c of the node at forward offset f goes to
//     E[((row * width + lane) * offsets + f) * B * B + u * B + c].
// The matrix A of pixels has planes, as in kernels_multigrid.inl; that of cells has the 64 entries
// of a slot one after the other (LevelMatrix::blocks).
template <int B, int border>
TRIMATTE_INLINE void load_entries(const CellGroup& group, const float* A, int64_t n, F8* E) {
    using S = Patch<B>;
    constexpr int width = S::side + 2 * border;
    for (int row = 0; row < S::side + border; ++row) {
        const int64_t* slot = group.row[row - border + S::reach];
        const float* from[8];
        if constexpr (B == 1) {
            for (int f = 0; f < S::offsets; ++f) {
                for (int lane = 0; lane < width; lane += 8) {
                    for (int i = 0; i < 8; ++i) {
                        from[i] = A + f * n + slot[i] - 1 - border + lane;
                    }
                    F8 v[8];
                    load_lanes<8>(from, v);
                    for (int l = 0; l < 8 && lane + l < width; ++l) {
                        E[(row * width + lane + l) * S::offsets + f] = v[l];
                    }
                }
            }
        } else {
            for (int lane = 0; lane < width; ++lane) {
                for (int i = 0; i < 8; ++i) {
                    from[i] = A + (slot[i] - 1 - border + lane) * 64;
                }
                load_lanes<64>(from, E + (row * width + lane) * 64);
            }
        }
    }
}

// Computes Y = A X for a patch X on the window of load_entries, without the rows below the patch.
// Y is laid out like a patch that is `width` nodes wide. With border = 0 (for the gradient), Y is
// zero at inner nodes: no other cell shares them, so that the near-null vectors determine their
// rows of P.
template <int B, int border>
TRIMATTE_INLINE void multiply_patch(const F8* E, const F8* X, F8* Y) {
    using S = Patch<B>;
    constexpr int width = S::side + 2 * border;
    constexpr int at_once = B == 1 ? columns : 1;  // columns whose sums stay in registers
    constexpr int numbers = S::offsets * B * B;
    const auto in_patch = [](int v) { return v >= border && v < border + S::side; };
    const auto is_inner = [](int v) { return border == 0 && v >= 2 && v < S::side - 2; };
    for (int y = 0; y < S::side + border; ++y) {
        for (int x = 0; x < width; ++x) {
            if (is_inner(y) && is_inner(x)) {
                for (int i = 0; i < B * columns; ++i) {
                    Y[S::node(y, x) + i] = F8{};
                }
                continue;
            }
            const int first = x - S::reach > border ? -S::reach : border - x;
            const int last = x + S::reach < border + S::side ? S::reach : border + S::side - 1 - x;
#pragma GCC unroll 1
            for (int c = 0; c < columns; c += at_once) {
                F8 sum[B][at_once] = {};
                const auto add = [&](const F8* e, const F8* there, bool forward) TRIMATTE_LAMBDA {
                    for (int b = 0; b < B; ++b) {
                        for (int u = 0; u < B; ++u) {
                            const F8 entry = forward ? e[u * B + b] : e[b * B + u];
                            for (int d = 0; d < at_once; ++d) {
                                sum[u][d] += entry * there[b * columns + c + d];
                            }
                        }
                    }
                };
#pragma GCC unroll 1
                for (int dy = -S::reach; dy <= S::reach; ++dy) {
                    if (!in_patch(y + dy)) {
                        continue;
                    }
                    const F8* there = X + S::node(y + dy - border, x - border);
                    const F8* ahead = E + (y * width + x) * numbers;
                    const F8* behind = E + ((y + dy) * width + x) * numbers;
                    if (dy > 0) {
#pragma GCC unroll 1
                        for (int dx = first; dx <= last; ++dx) {
                            add(ahead + offset_index<S::reach>(dy, dx) * B * B, there + dx * B * columns, true);
                        }
                    } else if (dy < 0) {
#pragma GCC unroll 1
                        for (int dx = first; dx <= last; ++dx) {
                            add(behind + dx * numbers + offset_index<S::reach>(-dy, -dx) * B * B,
                                there + dx * B * columns, false);
                        }
                    } else {
#pragma GCC unroll 1
                        for (int dx = first; dx <= last; ++dx) {
                            if (dx > 0) {
                                add(ahead + (dx - 1) * B * B, there + dx * B * columns, true);
                            } else if (dx < 0) {
                                add(behind + dx * numbers + (-dx - 1) * B * B, there + dx * B * columns, false);
                            } else {
                                for (int u = 0; u < B; ++u) {
                                    for (int d = 0; d < at_once; ++d) {
                                        sum[u][d] += there[u * columns + c + d];
                                    }
                                }
                            }
                        }
                    }
                }
                for (int u = 0; u < B; ++u) {
                    for (int d = 0; d < at_once; ++d) {
                        Y[((y * width + x) * B + u) * columns + c + d] = sum[u][d];
                    }
                }
            }
        }
    }
}

// Writes the gradient of the energy of the columns of P, which is A P, for the patches of the
// group's cells, in the layout of P. Zeros are written at the inner nodes, where P stays as it is.
template <int B>
void gradient(const CellGroup& group, const float* A, int64_t n, const float* P, float* out) {
    using S = Patch<B>;
    F8 E[S::side * S::side * S::offsets * B * B], X[S::size], Y[S::size];
    load_entries<B, 0>(group, A, n, E);
    load_lanes<S::size>(Places(P, neighbours(group, 0, 0), S::size).at, X);
    multiply_patch<B, 0>(E, X, Y);
    float nowhere[S::size];
    store_lanes<S::size>(Y, Targets(out, neighbours(group, 0, 0), S::size, nowhere).at);
}

// Takes the step of take_step at `rows` x `across` nodes of each of the group's cells, of which the
// first is node (y0, x0) of the cell. The patches of `count` cells hold these nodes: cell j lies
// away[j] = (rows, columns) of cells from the group's cell. Q holds the R of the `count` cells, one
// below the other.
template <int B, int count>
void move_nodes(const CellGroup& group, const int (*away)[2], int rows, int y0, int across, int x0,
                const float* gradient, float step, const float* R, float* P) {
    using S = Patch<B>;
    const float* from[count][8];
    float* to[count][8];
    float nowhere[columns] = {};
    F8 Q[count * 16], unused[16];
    for (int j = 0; j < count; ++j) {
        const auto [dy, dx] = away[j];
        int32_t cells[8];
        for (int i = 0; i < 8; ++i) {  // a cell across a corner counts if cell (0, dx) exists too
            cells[i] = dx == 0 || neighbours(group, 0, dx)[i] != 0 ? neighbours(group, dy, dx)[i] : 0;
            from[j][i] = gradient + cells[i] * int64_t{S::size};
            to[j][i] = cells[i] == 0 ? nullptr : P + cells[i] * int64_t{S::size};
        }
        load_lanes<16>(Places(R, cells, 16).at, Q + j * 16);
    }
    orthonormalise<4 * count, true>(Q, unused);
#pragma GCC unroll 1
    for (int node = 0; node < rows * across * B; ++node) {
        const int y = y0 + node / B / across;
        const int x = x0 + node / B % across;
        F8 change[count * columns];
        const float* from_here[8];
        float* to_here[8];
        const auto place = [&](int j) {
            return S::node(y + 1 - away[j][0] * S::k, x + 1 - away[j][1] * S::k) + node % B * columns;
        };
        for (int j = 0; j < count; ++j) {
            for (int i = 0; i < 8; ++i) {
                from_here[i] = from[j][i] + place(j);
            }
            load_lanes<4>(from_here, change + j * columns);
        }
        // The constant comes last, since it must stay most exactly.
        for (int c = columns - 1; c >= 0; --c) {
            F8 sum[columns] = {};
            for (int j = 0; j < count; ++j) {
                for (int u = 0; u <= c; ++u) {
                    sum[u] += change[j * columns + u] * Q[j * 16 + u * columns + c];
                }
            }
            const F8 along = (sum[0] + sum[1]) + (sum[2] + sum[3]);
            for (int j = 0; j < count; ++j) {
                for (int u = 0; u <= c; ++u) {
                    F8& changed = change[j * columns + u];
                    changed = changed - along * Q[j * 16 + u * columns + c];
                }
            }
        }
        for (int j = 0; j < count; ++j) {
            for (int i = 0; i < 8; ++i) {
                to_here[i] = to[j][i] == nullptr ? nowhere : to[j][i] + place(j);
            }
            F8 moved[columns];
            load_lanes<4>(to_here, moved);
            for (int u = 0; u < columns; ++u) {
                moved[u] = moved[u] - step * change[j * columns + u];
            }
            store_lanes<4>(moved, to_here);
        }
    }
}

// Computes P -= step * gradient at the outer nodes of the group's cells, in the patches of all
// cells that share these nodes. The product P R, the near-null vectors, must not change. So a
// node's change in all these patches, taken as one vector, is made orthogonal to the columns of the
// matrix that has the factors R of these cells one below the other.
template <int B>
void take_step(const CellGroup& group, const float* gradient, float step, const float* R, float* P) {
    constexpr int k = Patch<B>::k;
    for (int side = -1; side <= 1; side += 2) {
        const int at = side < 0 ? 0 : k - 1;
        for (int dx = -1; dx <= 1; dx += 2) {
            const int corner[4][2] = {{0, 0}, {side, 0}, {0, dx}, {side, dx}};
            move_nodes<B, 4>(group, corner, 1, at, 1, dx < 0 ? 0 : k - 1, gradient, step, R, P);
        }
        const int above[2][2] = {{0, 0}, {side, 0}};
        move_nodes<B, 2>(group, above, 1, at, k - 2, 1, gradient, step, R, P);
        const int beside[2][2] = {{0, 0}, {0, side}};
        move_nodes<B, 2>(group, beside, k - 2, 1, 1, at, gradient, step, R, P);
    }
}

// Writes the 4 x 4 blocks P_i^T A P_j of the group's cells j: entry (u, v) of block m takes the
// eight floats from (m * 16 + u * 4 + v) * 8 on, one for each cell j. In block 0, i is j itself; in
// blocks 1 to 4, i is the cell to the left of j, above to the right, above, and above to the left.
template <int B>
void coarsen(const CellGroup& group, const float* A, int64_t n, const float* P, float* out) {
    using S = Patch<B>;
    constexpr int border = S::reach;
    constexpr int width = S::side + 2 * border;
    F8 E[(S::side + border) * width * S::offsets * B * B], X[S::size];
    F8 Y[(S::side + border) * width * B * columns];
    load_entries<B, border>(group, A, n, E);
    load_lanes<S::size>(Places(P, neighbours(group, 0, 0), S::size).at, X);
    multiply_patch<B, border>(E, X, Y);
    constexpr int away[5][2] = {{0, 0}, {0, -1}, {-1, 1}, {-1, 0}, {-1, -1}};
    for (int m = 0; m < 5; ++m) {
        const auto [dy, dx] = away[m];
        if (m > 0) {
            load_lanes<S::size>(Places(P, neighbours(group, dy, dx), S::size).at, X);
        }
        for (int u = 0; u < columns; ++u) {
            F8 sum[columns] = {};
            for (int row = 0; row < S::side; ++row) {
                const int y = row + border + S::k * dy;
                const int first = S::k * dx + border < 0 ? -S::k * dx - border : 0;
                const int end = S::k * dx > border ? S::side - (S::k * dx - border) : S::side;
                if (y < 0) {
                    continue;
                }
                for (int i = first * B; i < end * B; ++i) {
                    const F8 p = X[(row * S::side * B + i) * columns + u];
                    const F8* image = Y + ((y * width + border + S::k * dx) * B + i) * columns;
                    for (int v = 0; v < columns; ++v) {
                        sum[v] += p * image[v];
                    }
                }
            }
            for (int v = 0; v < columns; ++v) {
                store(out + (m * 16 + u * columns + v) * 8, sum[v]);
            }
        }
    }
}

// Replaces P by P W for the group's cells and changes its layout to that of kernels_patches.inl. W
// is a 4 x 4 upper triangular matrix for each cell: entry (d, c) takes the eight floats from (d * 4
// + c) * 8 on.
template <int B>
void finish_patches(const CellGroup& group, const float* W, float* P) {
    using S = Patch<B>;
    F8 X[S::size], Y[S::size];
    load_lanes<S::size>(Places(P, neighbours(group, 0, 0), S::size).at, X);
    for (int row = 0; row < S::side; ++row) {
        for (int lane = 0; lane < S::side; ++lane) {
            for (int b = 0; b < B; ++b) {
                const F8* x = X + S::node(row, lane) + b * columns;
                for (int c = 0; c < columns; ++c) {
                    F8 sum = load<F8>(W + c * 8) * x[0];
                    for (int d = 1; d <= c; ++d) {
                        sum += load<F8>(W + (d * columns + c) * 8) * x[d];
                    }
                    Y[((row * B + b) * columns + c) * S::side + lane] = sum;
                }
            }
        }
    }
    float nowhere[S::size];
    store_lanes<S::size>(Y, Targets(P, neighbours(group, 0, 0), S::size, nowhere).at);
}

template <int B>
constexpr StencilKernels stencil_kernels() {
    return {product<B>,  subtract<B>,  smooth<B>,  gather<B, Patch<B>::side>, spread<B, Patch<B>::side>, blend<B>,
            gradient<B>, take_step<B>, coarsen<B>, finish_patches<B>};
}
