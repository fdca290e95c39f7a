// Multigrid's loops over pixels and cells. Only kernels.cpp includes this file.
//
// A node has B numbers, 1 for pixels and 4 for cells. With n slots, array x holds number u of slot
// i at x[u * n + i]. The forward offsets (rows, columns) are
//     (0, 1..R), (1, -R..R), ..., (R, -R..R),   R = 2 for pixels, 1 for cells.
// A matrix holds the entry between number u of a node and number c of the node at its f-th forward
// offset, with index e = (f * B + u) * B + c. An entry at a backward offset is held by the other
// node. The diagonal is 1 and is not held. The matrix of pixels has planes: entry e of slot i is at
// A[e * n + i]. That of cells has groups of 8 slots: entry e is at A[(i / 8 * 64 + e) * 8 + i % 8],
// and every piece begins at the first slot of a group.

// Returns the index f of a forward offset.
template <int R>
constexpr int offset_index(int dy, int dx) {
    return dy == 0 ? dx - 1 : R + (dy - 1) * (2 * R + 1) + dx + R;
}

// The loops over offsets are not unrolled: the code would keep dozens of addresses on the stack and
// outgrow the cache for decoded instructions. One load instruction then reads many planes in turn,
// which the hardware does not foresee. So entries are prefetched this many slots ahead.
constexpr int64_t prefetched = 128;

// Returns 1 in the lanes of the columns [from, to), else 0. Lane 0 is column o.
TRIMATTE_INLINE F8 lanes_between(int64_t from, int64_t to, int64_t o) {
    constexpr float step[24] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
    const auto lane = [o](int64_t column) TRIMATTE_LAMBDA { return column < o ? 0 : column > o + 8 ? 8 : column - o; };
    return load<F8>(step + 8 - lane(from)) * load<F8>(step + 16 - lane(to));
}

// Masks for the numbers that are read dy rows above a piece (dy = 0: in its own row, to the left).
// All keeps every lane. AtEdge is for eight columns at the edge of a strip: lanes whose slots are
// no neighbours of the piece become 0.
struct All {
    template <class V>
    TRIMATTE_INLINE V operator()(int, const V& v) const {
        return v;
    }
};
struct AtEdge {
    F8 own, other;
    int64_t own_above;
    AtEdge(const Piece& p, int64_t o)
        : own(lanes_between(0, p.end, o)), other(lanes_between(p.from, p.to, o)), own_above(p.own_above) {}
    TRIMATTE_INLINE F8 operator()(int dy, const F8& v) const { return (dy > own_above ? other : own) * v; }
    TRIMATTE_INLINE D8 operator()(int dy, const D8& v) const { return widen(dy > own_above ? other : own) * v; }
};

// Calls body(o, above) for every eight columns of the piece, where `above` is All or AtEdge.
template <class Body>
TRIMATTE_INLINE void for_eights(const Piece& p, const Body& body) {
    for (int64_t o = 0; o < p.size; o += 8) {
        if (o >= p.from && o + 8 <= p.to) {
            body(o, All{});
        } else {
            body(o, AtEdge(p, o));
        }
    }
}

// Calls use(a, ahead, b, behind, dy) for each pair of opposite offsets of the pixels at column `o`
// of the piece. a and b are the indices of the matrix entries at the forward and the backward
// offset. `ahead` and `behind` are the slots of the two other pixels, which lie dy rows below and
// above.
template <class Use>
TRIMATTE_INLINE void for_pixel_offsets(int64_t n, const Piece& p, int64_t o, const Use& use) {
    int64_t a = p.at[2] + o;
    for (int dy = 0; dy <= 2; ++dy) {
        const int dx = dy == 0 ? 1 : -2;
        int64_t ahead = p.at[2 + dy] + o + dx;
        int64_t behind = p.at[2 - dy] + o - dx;
        int64_t b = behind + (a - p.at[2] - o);
#pragma GCC unroll 1
        for (int left = dy == 0 ? 2 : 5; left > 0; --left) {
            use(a, ahead, b, behind, dy);
            a += n;
            b += n - 1;
            ++ahead;
            --behind;
        }
    }
}

// Returns (A v)[i], (A v)[i + 1], ..., a vector V for pixels, where i is the slot of column `o` of
// the piece. `above` is All or AtEdge.
template <class V, class Above>
TRIMATTE_INLINE V product_at(const float* A, int64_t n, const Piece& p, int64_t o, const float* v, const Above& above) {
    V sum = load<V>(v + p.at[2] + o);
    for_pixel_offsets(n, p, o, [&](int64_t a, int64_t ahead, int64_t b, int64_t behind, int dy) TRIMATTE_LAMBDA {
        prefetch<V>(A + a + prefetched);
        sum += load<V>(A + a) * load<V>(v + ahead);
        sum += load<V>(A + b) * above(dy, load<V>(v + behind));
    });
    return sum;
}

// Calls use(i, (A v)[i ...]) for the pixels of a piece from column `o` to `end`, as far as whole
// vectors V fit. i is the slot of the first pixel of a vector, and `o` becomes the first column
// that no vector covers. No column may need a mask.
template <class V, class Use>
TRIMATTE_INLINE void for_vectors(const float* A, int64_t n, const Piece& p, int64_t& o, int64_t end, const float* v,
                                 const Use& use) {
    constexpr int64_t step = sizeof(V) / sizeof(float);
    for (; o + step <= end; o += step) {
        use(p.at[2] + o, product_at<V>(A, n, p, o, v, All{}));
    }
}

// Multiplies the 16 entries between eight cells `here` and eight cells `there` with the numbers of
// both, where number u of the cells is the vector here[u] and entry A_uc is at A[(u * 4 + c) * 8]:
//     sum[u] += sum over c of A_uc there[c],   back[c] = sum over u of A_uc here[u].
TRIMATTE_INLINE void multiply_both(const float* A, const F8* here, const F8* there, F8* sum, F8* back) {
    for (int u = 0; u < 4; ++u) {
        for (int c = 0; c < 4; ++c) {
            const F8 entry = load<F8>(A + (u * 4 + c) * 8);
            sum[u] += entry * there[c];
            back[c] = u == 0 ? entry * here[0] : back[c] + entry * here[u];
        }
    }
}

// Calls use(u * n + i, (A v)[u * n + i ...]) for number u of the cells of the pieces. The matrix is
// read once, although each entry serves both of its cells: the products for the cell to the right
// stay in registers, and those for the cells below wait in `carry` until their row is reached.
// Plane f * 4 + c of `carry` holds, at the slot of a cell, its product for number c of the cell at
// offset (1, f - 1). `follows` says that `carry` holds the products of the row above; otherwise
// they are computed again.
template <class Use>
TRIMATTE_INLINE void for_cell_vectors(const float* A, int64_t n, const Piece* p, const Piece* end, const float* v,
                                      float* carry, bool follows, const Use& use) {
    F8 right[4] = {};
    int64_t reached = -1;
    for (; p != end; ++p) {
        if (p->at[2] != reached) {
            for (F8& r : right) {
                r = F8{};
            }
        }
        reached = p->at[2] + p->size;
        for (int64_t o = 0; o < p->size; o += 8) {
            const int64_t at = p->at[2] + o;
            const float* a = A + at * 64;
            F8 here[4], there[4], sum[4], back[4], left[4];
            for (int c = 0; c < 4; ++c) {
                sum[c] = here[c] = load<F8>(v + c * n + at);
                there[c] = load<F8>(v + c * n + at + 1);
            }
            multiply_both(a, here, there, sum, back);
            for (int c = 0; c < 4; ++c) {
                left[c] = shift_in(right[c], back[c]);
                right[c] = back[c];
            }
            F8 above_it[4] = {};
#pragma GCC unroll 1
            for (int f = 0; f < 3; ++f) {
                a += 128;
                for (int c = 0; c < 4; ++c) {
                    there[c] = load<F8>(v + c * n + p->at[3] + o + f - 1);
                }
                multiply_both(a, here, there, sum, back);
                for (int c = 0; c < 4; ++c) {
                    store(carry + (f * 4 + c) * n + at, back[c]);
                }
                const int64_t above = p->at[1] + o - f + 1;
                if (follows) {
                    for (int c = 0; c < 4; ++c) {
                        above_it[c] += load<F8>(carry + (f * 4 + c) * n + above);
                    }
                } else {
                    float entries[16 * 8];
                    for (int i = 0; i < 8; ++i) {
                        const float* from = A + (above + i) / 8 * 512 + (f + 1) * 128 + (above + i) % 8;
                        for (int k = 0; k < 16; ++k) {
                            entries[k * 8 + i] = from[k * 8];
                        }
                    }
                    F8 unused[4] = {};
                    for (int c = 0; c < 4; ++c) {
                        there[c] = load<F8>(v + c * n + above);
                    }
                    multiply_both(entries, there, there, unused, back);
                    for (int c = 0; c < 4; ++c) {
                        above_it[c] += back[c];
                    }
                }
            }
            const AtEdge above(*p, o);
            for (int u = 0; u < 4; ++u) {
                use(u * n + at, sum[u] + (left[u] + above(1, above_it[u])));
            }
        }
    }
}

// Calls use(i, (A v)[i ...]), where i = u n + slot, for all numbers u of all nodes of the pieces.
template <int B, class Use>
TRIMATTE_INLINE void for_products(const float* A, int64_t n, const Piece* p, const Piece* end, const float* v,
                                  [[maybe_unused]] float* carry, [[maybe_unused]] bool follows, const Use& use) {
    if constexpr (B == 4) {
        for_cell_vectors(A, n, p, end, v, carry, follows, use);
    } else {
        for (; p != end; ++p) {
            int64_t o = 0;
            const int64_t inner_end = p->to < p->size ? p->to : p->size;
            while (o < p->size) {
                if (o >= p->from && o + 8 <= inner_end) {
                    for_vectors<Pair<Native>>(A, n, *p, o, inner_end, v, use);
                    for_vectors<Native>(A, n, *p, o, inner_end, v, use);
                    for_vectors<F8>(A, n, *p, o, inner_end, v, use);
                } else {
                    use(p->at[2] + o, product_at<F8>(A, n, *p, o, v, AtEdge(*p, o)));
                    o += 8;
                }
            }
        }
    }
}

template <int B>
void product(const float* A, int64_t n, const Piece* p, const Piece* end, float* carry, bool follows, const float* v,
             float* out) {
    for_products<B>(A, n, p, end, v, carry, follows,
                    [=](int64_t i, const auto& Av) TRIMATTE_LAMBDA { store(out + i, Av); });
}

template <int B>
void subtract(const float* A, int64_t n, const Piece* p, const Piece* end, float* carry, bool follows, const float* d,
              float* r) {
    for_products<B>(A, n, p, end, d, carry, follows, [=](int64_t i, const auto& Ad) TRIMATTE_LAMBDA {
        using V = vector_of<decltype(Ad)>;
        store(r + i, load<V>(r + i) - Ad);
    });
}

template <int B>
void smooth(const float* A, int64_t n, const Piece* p, const Piece* end, float* carry, bool follows, float keep,
            float add, float again, const float* d, float* r, float* d_next, float* x) {
    for_products<B>(A, n, p, end, d, carry, follows, [=](int64_t i, const auto& Ad) TRIMATTE_LAMBDA {
        using V = vector_of<decltype(Ad)>;
        const V left = load<V>(r + i) - Ad;
        const V last = load<V>(d + i);
        const V step = keep * last + add * left;
        if (d_next != nullptr) {
            store(r + i, left);
            store(d_next + i, step);
        }
        store(x + i, load<V>(x + i) + (again * last + step));
    });
}

// Returns eight matrix entries hi + lo of pixels in double.
TRIMATTE_INLINE D8 wide(const float* hi, const float* lo, int64_t i) { return load_wide(hi + i) + load_wide(lo + i); }

// out = A v
void wide_product(const float* hi, const float* lo, int64_t n, const Piece* p, const Piece* end, const double* v,
                  double* out) {
    for (; p != end; ++p) {
        for_eights(*p, [=](int64_t o, const auto& above) TRIMATTE_LAMBDA {
            // There are two sums, so that one addition need not wait for the other.
            D8 ahead = load<D8>(v + p->at[2] + o), behind{};
            for_pixel_offsets(n, *p, o, [&](int64_t a, int64_t v_a, int64_t b, int64_t v_b, int dy) TRIMATTE_LAMBDA {
                prefetch<F8>(hi + a + prefetched);
                prefetch<F8>(lo + a + prefetched);
                ahead += wide(hi, lo, a) * load<D8>(v + v_a);
                behind += wide(hi, lo, b) * above(dy, load<D8>(v + v_b));
            });
            store(out + p->at[2] + o, ahead + behind);
        });
    }
}

// w = A z in double. Adds z . r, z . q and z . w to the sums; sums[3] becomes the larger of itself
// and the largest |scale z|.
void measured_product(const float* hi, const float* lo, int64_t n, const Piece* p, const Piece* end, const float* z,
                      const double* r, const double* q, const double* scale, double* w, double* sums) {
    D8 zr{}, zq{}, zw{}, most{};
    for (; p != end; ++p) {
        for_eights(*p, [&](int64_t o, const auto& above) TRIMATTE_LAMBDA {
            const int64_t at = p->at[2] + o;
            const D8 here = load_wide(z + at);
            D8 ahead = here, behind{};
            F8 rest{};  // the products with lo; float32 has digits enough for them
            for_pixel_offsets(n, *p, o, [&](int64_t a, int64_t z_a, int64_t b, int64_t z_b, int dy) TRIMATTE_LAMBDA {
                prefetch<F8>(hi + a + prefetched);
                prefetch<F8>(lo + a + prefetched);
                ahead += load_wide(hi + a) * load_wide(z + z_a);
                behind += load_wide(hi + b) * above(dy, load_wide(z + z_b));
                rest += load<F8>(lo + a) * load<F8>(z + z_a);
                rest += load<F8>(lo + b) * above(dy, load<F8>(z + z_b));
            });
            const D8 sum = ahead + behind + widen(rest);
            store(w + at, sum);
            zr += here * load<D8>(r + at);
            zq += here * load<D8>(q + at);
            zw += here * sum;
            const D8 moved = here * load<D8>(scale + at);
            most = larger(larger(most, moved), -1.0 * moved);
        });
    }
    sums[0] += total(zr);
    sums[1] += total(zq);
    sums[2] += total(zw);
    for (int i = 0; i < 8; ++i) {
        sums[3] = most[i] > sums[3] ? most[i] : sums[3];
    }
}

// The loops below run over `size` elements, a multiple of 8.

// d = add r; x = d
void start(int64_t size, float add, const float* r, float* d, float* x) {
    for (int64_t i = 0; i < size; i += 8) {
        const F8 step = add * load<F8>(r + i);
        store(d + i, step);
        store(x + i, step);
    }
}

// r = keep_b b + keep_r r; d = add r; x = keep_x x + d
void restart(int64_t size, float keep_b, float keep_r, float keep_x, float add, const float* b, float* r, float* d,
             float* x) {
    for (int64_t i = 0; i < size; i += 8) {
        const F8 left = keep_b * load<F8>(b + i) + keep_r * load<F8>(r + i);
        const F8 step = add * left;
        store(r + i, left);
        store(d + i, step);
        store(x + i, keep_x * load<F8>(x + i) + step);
    }
}

// p = z + beta p; q = w + beta q; x += alpha p; r -= alpha q; r32 = r; d = add r. z and d may be
// one array.
void advance(int64_t size, double alpha, double beta, const float* z, const double* w, double* p, double* q, double* x,
             double* r, float add, float* r32, float* d) {
    for (int64_t i = 0; i < size; i += 8) {
        const D8 p8 = widen(load<F8>(z + i)) + beta * load<D8>(p + i);
        const D8 q8 = load<D8>(w + i) + beta * load<D8>(q + i);
        store(p + i, p8);
        store(q + i, q8);
        store(x + i, load<D8>(x + i) + alpha * p8);
        const D8 left = load<D8>(r + i) - alpha * q8;
        store(r + i, left);
        const F8 left32 = narrow(left);
        store(r32 + i, left32);
        store(d + i, add * left32);
    }
}

// a . b
double dot(int64_t size, const float* a, const float* b) {
    D8 sum{};
    for (int64_t i = 0; i < size; i += 8) {
        sum += widen(load<F8>(a + i)) * widen(load<F8>(b + i));
    }
    return total(sum);
}

// out = a w - b u - c out
void combine(int64_t size, float a, const float* w, float b, const float* u, float c, float* out) {
    for (int64_t i = 0; i < size; i += 8) {
        store(out + i, a * load<F8>(w + i) - b * load<F8>(u + i) - c * load<F8>(out + i));
    }
}
