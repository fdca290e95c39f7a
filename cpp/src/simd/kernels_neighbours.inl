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
// count_at_most adds 1 to the lanes of `count` whose lane of v is <= limit. halve moves `high` down
// to the middle in the lanes where `within` is at least `wanted`, and `low` up to it in the others.
#if !defined(TRIMATTE_VECTORS)
template <class V>
TRIMATTE_INLINE V lower(const V& a, const V& b) {
    V c;
    for (size_t i = 0; i < sizeof c.lane / sizeof c.lane[0]; ++i) {
        c.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i];
    }
    return c;
}
TRIMATTE_INLINE F16 count_at_most(F16 count, const F16& v, const F16& limit) {
    for (int i = 0; i < 16; ++i) {
        count.lane[i] += v.lane[i] <= limit.lane[i] ? 1.0f : 0.0f;
    }
    return count;
}
TRIMATTE_INLINE void halve(const F16& within, const F16& wanted, const F16& middle, F16& low, F16& high) {
    for (int i = 0; i < 16; ++i) {
        (within.lane[i] >= wanted.lane[i] ? high : low).lane[i] = middle.lane[i];
    }
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
TRIMATTE_INLINE F16 larger(const F16& a, const F16& b) {
    F16 c;
    for (int i = 0; i < 16; ++i) {
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
TRIMATTE_INLINE V count_at_most(const V& count, const V& v, const V& limit) {
    return v <= limit ? count + 1.0f : count;
}
template <class V>
TRIMATTE_INLINE Pair<V> count_at_most(const Pair<V>& count, const Pair<V>& v, const Pair<V>& limit) {
    return {count_at_most(count.first, v.first, limit.first), count_at_most(count.second, v.second, limit.second)};
}
template <class V>
TRIMATTE_INLINE void halve(const V& within, const V& wanted, const V& middle, V& low, V& high) {
    low = within >= wanted ? low : middle;
    high = within >= wanted ? middle : high;
}
template <class V>
TRIMATTE_INLINE void halve(const Pair<V>& within, const Pair<V>& wanted, const Pair<V>& middle, Pair<V>& low,
                           Pair<V>& high) {
    halve(within.first, wanted.first, middle.first, low.first, high.first);
    halve(within.second, wanted.second, middle.second, low.second, high.second);
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
TRIMATTE_INLINE F16 larger(F16 a, F16 b) { return a > b ? a : b; }
TRIMATTE_INLINE uint32_t at_most(F16 v, float limit) {
    return _mm512_cmp_ps_mask(reinterpret_cast<__m512>(v), _mm512_set1_ps(limit), _CMP_LE_OQ);
}
#else
TRIMATTE_INLINE F16 larger(const F16& a, const F16& b) {
    return {larger(a.first, b.first), larger(a.second, b.second)};
}
#endif
#else
TRIMATTE_INLINE F4 larger(F4 a, F4 b) { return a > b ? a : b; }
TRIMATTE_INLINE F8 larger(const F8& a, const F8& b) { return {larger(a.first, b.first), larger(a.second, b.second)}; }
TRIMATTE_INLINE F16 larger(const F16& a, const F16& b) {
    return {larger(a.first, b.first), larger(a.second, b.second)};
}
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

TRIMATTE_INLINE int lowest_bit(uint64_t bits) {
#if defined(TRIMATTE_VECTORS)
    return __builtin_ctzll(bits);
#else
    int i = 0;
    for (; (bits >> i & 1) == 0; ++i) {
    }
    return i;
#endif
}

// Vectors with the same number in all lanes.
TRIMATTE_INLINE F8 eight_lanes(float v) {
    const float same[8] = {v, v, v, v, v, v, v, v};
    return load<F8>(same);
}
TRIMATTE_INLINE F16 all_lanes(float v) {
    float same[16];
    for (int j = 0; j < 16; ++j) {
        same[j] = v;
    }
    return load<F16>(same);
}

// The largest of 16 numbers.
TRIMATTE_INLINE float largest_lane(const F16& v) {
    float lanes[16];
    store(lanes, v);
    for (int step = 8; step > 0; step /= 2) {
        for (int i = 0; i < step; ++i) {
            lanes[i] = lanes[i] > lanes[i + step] ? lanes[i] : lanes[i + step];
        }
    }
    return lanes[0];
}

// The squared distances between 16 points, which are stored like those of a leaf, and one point of
// another leaf.
TRIMATTE_INLINE F16 squared_distances(int64_t dimensions, const float* points, const float* point) {
    const F16 d0 = load<F16>(points) - all_lanes(point[0]);
    F16 sum = d0 * d0;
    for (int64_t c = 1; c < dimensions; ++c) {
        const F16 d = load<F16>(points + c * 16) - all_lanes(point[c * 16]);
        sum += d * d;
    }
    return sum;
}

// The squared gaps between the boxes of a node's eight children and the box from `low` to `high`,
// numbers of equal lanes for each dimension. The numbers of a box and those of a point go through
// the same operations, so that rounding cannot make a gap exceed the distance of a point in the box.
template <class Low, class High>
TRIMATTE_INLINE F8 squared_gaps(const PointTree& tree, int64_t node, const Low& low, const High& high) {
    constexpr int64_t children = PointTree::children;
    const float* boxes = tree.boxes + node * tree.dimensions * 2 * children;
    F8 sum{};
    for (int64_t c = 0; c < tree.dimensions; ++c, boxes += 2 * children) {
        const F8 gap = larger(larger(load<F8>(boxes) - high(c), low(c) - load<F8>(boxes + children)), F8{});
        sum += gap * gap;
    }
    return sum;
}

// Sixteen points that are searched around together, and the box around them.
class Group {
public:
    static constexpr int64_t n = PointTree::leaf_points, children = PointTree::children;

    // x: the points, stored like those of a leaf.
    TRIMATTE_INLINE Group(const PointTree& tree, const float* x) : tree_(tree), x_(x) {}

    TRIMATTE_INLINE void set_box(int64_t c, float low, float high) {
        low_[c] = eight_lanes(low);
        high_[c] = eight_lanes(high);
    }

    TRIMATTE_INLINE const float* point(int64_t j) const { return x_ + j; }

    // The squared gaps between the group's box and the boxes of a node's children.
    TRIMATTE_INLINE F8 gaps(int64_t node) const {
        const auto low = [&](int64_t c) TRIMATTE_LAMBDA { return low_[c]; };
        const auto high = [&](int64_t c) TRIMATTE_LAMBDA { return high_[c]; };
        return squared_gaps(tree_, node, low, high);
    }

    // The squared gaps between point j and the boxes of a node's children.
    TRIMATTE_INLINE F8 gaps_of_point(int64_t j, int64_t node) const {
        const auto x = [&](int64_t c) TRIMATTE_LAMBDA { return eight_lanes(x_[c * n + j]); };
        return squared_gaps(tree_, node, x, x);
    }

    // The squared gaps between all points and the box of one child of a node.
    TRIMATTE_INLINE F16 gaps_of_child(int64_t node, int64_t child) const {
        const float* box = tree_.boxes + node * tree_.dimensions * 2 * children + child;
        F16 sum{};
        for (int64_t c = 0; c < tree_.dimensions; ++c, box += 2 * children) {
            const F16 x = load<F16>(x_ + c * n);
            const F16 gap = larger(larger(all_lanes(box[0]) - x, x - all_lanes(box[children])), F16{});
            sum += gap * gap;
        }
        return sum;
    }

    // Returns the node of level 1, a block of eight leaves, that lies nearest to point j.
    TRIMATTE_INLINE int64_t nearest_block(int64_t j) const {
        int64_t node = 0;
        for (int64_t level = tree_.levels; level > 1; --level) {
            float gap[children];
            store(gap, gaps_of_point(j, tree_.first[level] + node));
            int64_t nearest = 0;
            for (int64_t i = 1; i < children; ++i) {
                nearest = gap[i] < gap[nearest] ? i : nearest;
            }
            node = children * node + nearest;
        }
        return node;
    }

    // Returns a squared distance for each point that holds at least k of the points of a block, and
    // few more. It is as large as possible if the block has fewer than k points.
    TRIMATTE_INLINE F16 limits(int64_t block, int64_t k) const {
        F16 distance[children * n];
        F16 low{}, high{};
        int64_t count = 0;
        for (int64_t leaf = children * block; leaf < children * (block + 1) && leaf < tree_.leaf_count; ++leaf) {
            const float* x = tree_.leaves + leaf * tree_.dimensions * n;
            for (int64_t i = 0; i < n && tree_.numbers[leaf * n + i] != INT32_MAX; ++i) {
                distance[count] = squared_distances(tree_.dimensions, x_, x + i);
                high = larger(high, distance[count++]);
            }
        }
        if (count < k) {
            return all_lanes(largest_distance);
        }
        for (int step = 0; step < 7; ++step) {
            const F16 middle = 0.5f * (low + high);
            F16 within{};
            for (int64_t i = 0; i < count; ++i) {
                within = count_at_most(within, distance[i], middle);
            }
            halve(within, all_lanes(static_cast<float>(k)), middle, low, high);
        }
        return high;
    }

private:
    const PointTree& tree_;
    const float* x_;
    F8 low_[PointTree::most_dimensions], high_[PointTree::most_dimensions];
};

// A part of the tree that has to be searched.
struct Part {
    int64_t node, level;
};
