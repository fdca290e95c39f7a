// The search of neighbours/nearest.cpp, which describes the tree. Only kernels.cpp includes this
// file.
//
// A point is a candidate with two numbers: its squared distance, a float that is not negative, and
// its own number. Both are packed into a double that sorts like the pair: the distance is the upper
// half, the number the lower one. The exponent of such a double is raised so that it is never a
// denormal number, which some programs let the processor treat as zero.

constexpr uint32_t raise_exponent = 0x00100000;
constexpr float largest_distance = 3.402823466e+38f;

TRIMATTE_INLINE double packed(float distance, int32_t number) {
    uint32_t high;
    memcpy(&high, &distance, sizeof high);
    const uint64_t both = (static_cast<uint64_t>(high + raise_exponent) << 32) | static_cast<uint32_t>(number);
    double key;
    memcpy(&key, &both, sizeof key);
    return key;
}

TRIMATTE_INLINE float distance_of(double key) {
    uint64_t both;
    memcpy(&both, &key, sizeof both);
    const uint32_t high = static_cast<uint32_t>(both >> 32) - raise_exponent;
    float distance;
    memcpy(&distance, &high, sizeof distance);
    return distance;
}

// lower(a, b) is the smaller number of each lane, push(a, b) the last lane of a and then the lanes
// of b without its last, and at_most(v, limit) has a bit for each lane that is <= limit.
#if !defined(TRIMATTE_VECTORS)
TRIMATTE_INLINE D8 lower(const D8& a, const D8& b) {
    D8 c;
    for (int i = 0; i < 8; ++i) {
        c.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i];
    }
    return c;
}
TRIMATTE_INLINE D8 push(const D8& before, const D8& v) {
    D8 shifted;
    shifted.lane[0] = before.lane[7];
    for (int i = 1; i < 8; ++i) {
        shifted.lane[i] = v.lane[i - 1];
    }
    return shifted;
}
TRIMATTE_INLINE F8 larger(const F8& a, const F8& b) {
    F8 c;
    for (int i = 0; i < 8; ++i) {
        c.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
    }
    return c;
}
template <class V>
TRIMATTE_INLINE uint32_t at_most(const V& v, float limit) {
    uint32_t bits = 0;
    for (int i = 0; i < static_cast<int>(sizeof v / sizeof(float)); ++i) {
        bits |= static_cast<uint32_t>(v.lane[i] <= limit) << i;
    }
    return bits;
}
#else
template <class V>
TRIMATTE_INLINE V lower(const V& a, const V& b) {
    return a < b ? a : b;
}
template <class V>
TRIMATTE_INLINE Pair<V> lower(const Pair<V>& a, const Pair<V>& b) {
    return {lower(a.first, b.first), lower(a.second, b.second)};
}
template <class V>
TRIMATTE_INLINE V push(const V& before, const V& v) {
    if constexpr (sizeof(V) == 16) {
        return __builtin_shufflevector(before, v, 1, 2);
    } else if constexpr (sizeof(V) == 32) {
        return __builtin_shufflevector(before, v, 3, 4, 5, 6);
    } else {
        return __builtin_shufflevector(before, v, 7, 8, 9, 10, 11, 12, 13, 14);
    }
}
template <class V>
TRIMATTE_INLINE Pair<V> push(const Pair<V>& before, const Pair<V>& v) {
    return {push(before.second, v.first), push(v.first, v.second)};
}
#if defined(__AVX2__)
TRIMATTE_INLINE F8 larger(F8 a, F8 b) { return a > b ? a : b; }
TRIMATTE_INLINE uint32_t at_most(F8 v, float limit) {
    return static_cast<uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(v <= limit)));
}
#if defined(__AVX512F__)
TRIMATTE_INLINE uint32_t at_most(F16 v, float limit) {
    return _mm512_cmp_ps_mask(reinterpret_cast<__m512>(v), _mm512_set1_ps(limit), _CMP_LE_OQ);
}
#endif
#else
TRIMATTE_INLINE F4 larger(F4 a, F4 b) { return a > b ? a : b; }
TRIMATTE_INLINE F8 larger(const F8& a, const F8& b) { return {larger(a.first, b.first), larger(a.second, b.second)}; }
TRIMATTE_INLINE uint32_t at_most(F4 v, float limit) {
#if defined(__SSE__)
    return static_cast<uint32_t>(__builtin_ia32_movmskps(reinterpret_cast<F4>(v <= limit)));
#else
    uint32_t bits = 0;
    for (int i = 0; i < 4; ++i) {
        bits |= static_cast<uint32_t>(v[i] <= limit) << i;
    }
    return bits;
#endif
}
#endif
template <class V>
TRIMATTE_INLINE uint32_t at_most(const Pair<V>& v, float limit) {
    constexpr int half = sizeof(V) / sizeof(float);
    return at_most(v.first, limit) | at_most(v.second, limit) << half;
}
#endif

TRIMATTE_INLINE int lowest_bit(uint32_t bits) {
#if defined(TRIMATTE_VECTORS)
    return __builtin_ctz(bits);
#else
    int i = 0;
    for (; (bits >> i & 1) == 0; ++i) {
    }
    return i;
#endif
}

// Inserts a key into `padded` sorted keys, and drops the last.
TRIMATTE_INLINE void insert(double key, int64_t padded, double* best) {
    const double lanes8[8] = {key, key, key, key, key, key, key, key};
    const D8 x = load<D8>(lanes8);
    D8 before{};  // all keys are positive
    for (int64_t i = 0; i < padded; i += 8) {
        const D8 v = load<D8>(best + i);
        store(best + i, lower(v, larger(push(before, v), x)));
        before = v;
    }
}

// A part of the tree that has to be searched, and the least key that a point in it may have.
struct Part {
    double key;
    int64_t node;
    int64_t level;
};

// The keys of the k nearest points of one query, with the worst of them.
class Search {
public:
    // query: one vector of equal lanes for each dimension. limit: no distance above it is wanted.
    TRIMATTE_INLINE Search(const PointTree& tree, const F16* query, int64_t k, int64_t padded, float limit,
                           double* best)
        : tree_(tree), query_(query), k_(k), padded_(padded), best_(best) {
        worst_ = packed(limit, INT32_MAX);
        for (int64_t i = 0; i < padded; ++i) {
            best[i] = worst_;
        }
        threshold_ = limit;
    }

    TRIMATTE_INLINE void run() {
        Part stack[8 * PointTree::most_levels];
        stack[0] = {packed(0, 0), 0, tree_.levels};
        for (int64_t size = 1; size > 0;) {
            const Part part = stack[--size];
            if (!(part.key < worst_)) {
                continue;
            }
            if (part.level == 0) {
                look_through(part.node);
            } else {
                size = descend(part, stack, size);
            }
        }
    }

    // Compares the points of a leaf.
    TRIMATTE_INLINE void look_through(int64_t leaf) {
        constexpr int64_t n = PointTree::leaf_points;
        const float* x = tree_.leaves + leaf * tree_.dimensions * n;
        const F16 d0 = load<F16>(x) - query_[0];
        F16 sum = d0 * d0;
        for (int64_t c = 1; c < tree_.dimensions; ++c) {
            const F16 d = load<F16>(x + c * n) - query_[c];
            sum += d * d;
        }
        uint32_t bits = at_most(sum, threshold_);
        if (bits == 0) {
            return;
        }
        float distance[n];
        store(distance, sum);
        const int32_t* number = tree_.numbers + leaf * n;
        do {
            const int i = lowest_bit(bits);
            bits &= bits - 1;
            const double key = packed(distance[i], number[i]);
            if (key < worst_) {
                insert(key, padded_, best_);
                worst_ = best_[k_ - 1];
            }
        } while (bits != 0);
        threshold_ = distance_of(worst_);
    }

    // The distance of the k-th nearest point so far; the limit if there are fewer.
    TRIMATTE_INLINE float reach() const { return threshold_; }

private:
    // Pushes the children of a node that may hold one of the nearest points, the nearest child
    // last. The box of a child gives a bound of the distance. Rounding cannot make the bound exceed
    // the distance of a point in the box, since both go through the same operations.
    TRIMATTE_INLINE int64_t descend(const Part& part, Part* stack, int64_t size) {
        constexpr int64_t n = PointTree::children;
        const int64_t node = tree_.first[part.level] + part.node;
        const float* box = tree_.boxes + node * tree_.dimensions * 2 * n;
        F8 sum{};
        for (int64_t c = 0; c < tree_.dimensions; ++c) {
            const F8 q = load<F8>(reinterpret_cast<const float*>(query_ + c));
            const F8 gap = larger(larger(load<F8>(box + 2 * c * n) - q, q - load<F8>(box + (2 * c + 1) * n)), F8{});
            sum += gap * gap;
        }
        float bound[n];
        store(bound, sum);
        const int32_t* least = tree_.least + node * n;
        const int64_t base = size;
        for (uint32_t bits = at_most(sum, threshold_); bits != 0; bits &= bits - 1) {
            const int i = lowest_bit(bits);
            const double key = packed(bound[i], least[i]);
            if (!(key < worst_)) {
                continue;
            }
            int64_t at = size++;
            for (; at > base && stack[at - 1].key < key; --at) {
                stack[at] = stack[at - 1];
            }
            stack[at] = {key, n * part.node + i, part.level - 1};
        }
        return size;
    }

    const PointTree& tree_;
    const F16* query_;
    int64_t k_, padded_;
    double* best_;
    double worst_;
    float threshold_;
};

// The same number in all lanes.
TRIMATTE_INLINE F16 all_lanes(float v) {
    float same[16];
    for (int64_t j = 0; j < 16; ++j) {
        same[j] = v;
    }
    return load<F16>(same);
}

// The largest distance of the points found for the query before gives one for this query: they lie
// within the root of `before` of that query, and so within that plus the distance between both
// queries, whose square is `moved`, of this one. The part added is larger than all errors of
// rounding.
TRIMATTE_INLINE float moved_limit(float before, float moved) {
    const float root = sqrtf(before) + sqrtf(moved);
    const float wide = root * root * 1.0001f + 1e-30f;
    return wide < largest_distance ? wide : largest_distance;
}

// Adds the squared gaps between the box from `low` to `high` and eight other boxes. The numbers of
// the other boxes lie `step` further for each dimension, and their upper ones `upper` further.
TRIMATTE_INLINE F8 squared_gaps(int64_t dimensions, const F16* low, const F16* high, const float* boxes, int64_t step,
                                int64_t upper) {
    F8 sum{};
    for (int64_t c = 0; c < dimensions; ++c, boxes += step) {
        const F8 above = load<F8>(boxes) - load<F8>(reinterpret_cast<const float*>(high + c));
        const F8 below = load<F8>(reinterpret_cast<const float*>(low + c)) - load<F8>(boxes + upper);
        const F8 gap = larger(larger(above, below), F8{});
        sum += gap * gap;
    }
    return sum;
}

// Whether the squared distance between a marked point and the box from `low` to `high` is at most
// `reach`.
TRIMATTE_INLINE bool is_marked_within(const PointTree& tree, const MarkedPoints& marked, const F16* low,
                                      const F16* high, float reach) {
    constexpr int64_t n = PointTree::children;
    struct {
        int64_t node, level;
    } stack[n * PointTree::most_levels];
    stack[0] = {0, tree.levels};
    for (int64_t size = 1; size > 0;) {
        const auto part = stack[--size];
        if (part.level == 0) {
            const float* x = tree.leaves + part.node * tree.dimensions * 2 * n;
            const uint32_t bits = marked.in_leaf[part.node];
            if ((bits & at_most(squared_gaps(tree.dimensions, low, high, x, 2 * n, 0), reach)) != 0 ||
                (bits >> n & at_most(squared_gaps(tree.dimensions, low, high, x + n, 2 * n, 0), reach)) != 0) {
                return true;
            }
            continue;
        }
        const int64_t node = tree.first[part.level] + part.node;
        const float* boxes = tree.boxes + node * tree.dimensions * 2 * n;
        const uint32_t near = at_most(squared_gaps(tree.dimensions, low, high, boxes, 2 * n, n), reach);
        for (uint32_t bits = near & marked.in_children[node]; bits != 0; bits &= bits - 1) {
            stack[size++] = {n * part.node + lowest_bit(bits), part.level - 1};
        }
    }
    return false;
}

void find_near_marked(const PointTree& tree, const MarkedPoints& marked, int64_t leaf, int64_t k, double* best,
                      uint8_t* may) {
    constexpr int64_t n = PointTree::leaf_points, children = PointTree::children;
    memset(may, 0, n);
    // The k nearest points are no farther than the farthest corner of the box around as many
    // neighbouring leaves as hold more than k points.
    int64_t together = 1;
    while (together < children && together * n <= k) {
        together *= 2;
    }
    const int64_t first = leaf / together * together;
    F16 low[PointTree::most_dimensions], high[PointTree::most_dimensions];
    float reach = 0;
    const float* boxes = tree.boxes + (tree.first[1] + leaf / children) * tree.dimensions * 2 * children;
    for (int64_t c = 0; c < tree.dimensions; ++c) {
        const float* box = boxes + 2 * c * children;
        const float own_low = box[leaf % children], own_high = box[children + leaf % children];
        low[c] = all_lanes(own_low);
        high[c] = all_lanes(own_high);
        float far = 0;
        for (int64_t i = first % children; i < first % children + together; ++i) {
            const float up = box[children + i] - own_low, down = own_high - box[i];
            far = up > far ? up : far;
            far = down > far ? down : far;
        }
        reach += far * far;
    }
    const bool is_full = together * n > k && first + together <= tree.leaf_count &&
                         tree.numbers[(first + together) * n - 1] != INT32_MAX;
    if (is_full && !is_marked_within(tree, marked, low, high, reach)) {
        return;
    }
    // The k nearest points of the block of leaves around each point that is not marked give a
    // shorter bound. The point itself is one of those found.
    const float* x = tree.leaves + leaf * tree.dimensions * n;
    float bound[n];
    const float most = is_full ? reach : largest_distance;
    F16 query[PointTree::most_dimensions];
    int64_t before = -1;
    reach = 0;
    for (int64_t i = 0; i < n && tree.numbers[leaf * n + i] != INT32_MAX; ++i) {
        if ((marked.in_leaf[leaf] >> i & 1) != 0) {
            continue;
        }
        float moved = 0;
        for (int64_t c = 0; c < tree.dimensions; ++c) {
            query[c] = all_lanes(x[c * n + i]);
            const float d = before >= 0 ? x[c * n + i] - x[c * n + before] : 0.0f;
            moved += d * d;
        }
        const float wide = before >= 0 ? moved_limit(bound[before], moved) : most;
        Search search(tree, query, k + 1, (k + 8) / 8 * 8, wide < most ? wide : most, best);
        search.look_through(leaf);
        const F8 gaps = squared_gaps(tree.dimensions, query, query, boxes, 2 * children, children);
        for (uint32_t bits = at_most(gaps, search.reach()) & ~(1u << leaf % children); bits != 0; bits &= bits - 1) {
            search.look_through(leaf - leaf % children + lowest_bit(bits));
        }
        bound[i] = search.reach();
        reach = bound[i] > reach ? bound[i] : reach;
        before = i;
    }
    const bool is_near = before >= 0 && is_marked_within(tree, marked, low, high, reach);
    for (int64_t i = 0; i < n && tree.numbers[leaf * n + i] != INT32_MAX; ++i) {
        if ((marked.in_leaf[leaf] >> i & 1) != 0) {
            may[i] = 1;
        } else if (is_near) {
            for (int64_t c = 0; c < tree.dimensions; ++c) {
                query[c] = all_lanes(x[c * n + i]);
            }
            may[i] = is_marked_within(tree, marked, query, query, bound[i]) ? 1 : 0;
        }
    }
}

// Writes the k nearest points of one query, without `excluded`, from sorted keys.
TRIMATTE_INLINE void unpack(const double* keys, int64_t k, int32_t excluded, int32_t* number, float* distance) {
    for (int64_t i = 0, j = 0; j < k; ++i) {
        uint64_t both;
        memcpy(&both, keys + i, sizeof both);
        const int32_t found = static_cast<int32_t>(both & 0xffffffffu);
        number[j] = found == INT32_MAX ? -1 : found;
        distance[j] = found == INT32_MAX ? INFINITY : distance_of(keys[i]);
        j += found != excluded;
    }
}

void find_nearest(const PointTree& tree, int64_t count, const float* queries, const int32_t* excluded, int64_t k,
                  double* best, int32_t* number, float* distance) {
    const int64_t wanted = excluded != nullptr ? k + 1 : k;
    const int64_t padded = (wanted + 7) / 8 * 8;
    F16 query[PointTree::most_dimensions];
    float limit = largest_distance;
    for (int64_t i = 0; i < count; ++i) {
        const float* q = queries + i * tree.dimensions;
        float moved = 0;
        for (int64_t c = 0; c < tree.dimensions; ++c) {
            query[c] = all_lanes(q[c]);
            const float d = i > 0 ? q[c] - q[c - tree.dimensions] : 0.0f;
            moved += d * d;
        }
        if (i > 0) {
            limit = moved_limit(distance_of(best[wanted - 1]), moved);
        }
        Search search(tree, query, wanted, padded, limit, best);
        search.run();
        unpack(best, k, excluded != nullptr ? excluded[i] : -1, number + i * k, distance + i * k);
    }
}
