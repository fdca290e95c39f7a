// The operator of KNN matting: Chen, Li, Tang, "KNN Matting", IEEE TPAMI 35(9), 2013, Sec. 3.
//
// The features of a pixel are X = [R, G, B, w x, w y]. With two weights w, pixel p has two lists of
// pixels whose features are nearest to its own, and
//     W(p, q) = sum over the lists of p that hold q of 1, or of 1 - |X_p - X_q|_1 / C,   C = 5
//     L = D - (W + W^T)
// A system of unknown pixels needs the lists of unknown pixels, and those of known pixels as far as
// unknown pixels are in them.
//
// In drawings all neighbours of the pixels of a flat part may lie in that part. If none of them is
// known, W leaves their alpha open. Therefore pixels above and beside each other have a weight of
// 1/128 besides, which the paper does not have.
#include "trimatte/knn.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "neighbours/nearest.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

// Pixels whose neighbours one task finds.
constexpr std::int64_t pixels_of_task = 2048;
constexpr double C = 5;
constexpr float beside = 1.0f / 128;

// Neighbours of some of the pixels: list i is that of pixel owner[i], and its entries end at end[i].
struct Lists {
    std::vector<std::int32_t> owner, neighbour;
    std::vector<std::size_t> end;
    std::vector<float> weight;  // of each neighbour, if weights are soft

    // Calls take(owner, neighbour, weight) for each entry.
    template <class Take>
    void for_each(const Take& take) const {
        for (std::size_t i = 0, k = 0; i < owner.size(); ++i) {
            for (; k < end[i]; ++k) {
                take(owner[i], neighbour[k], weight.empty() ? 1.0f : weight[k]);
            }
        }
    }
};

// Returns the features of all pixels, one row of `channels + 2` floats each.
Buffer<float> features_of(const ImageView& image, double position_weight, const Context& context) {
    const std::int64_t d = image.channels + 2;
    Buffer<float> features(image.pixels() * d);
    constexpr std::int64_t band = 16;
    const auto at = [position_weight](std::int64_t i, std::int64_t size) {
        const double part = static_cast<double>(i) / static_cast<double>(std::max<std::int64_t>(1, size - 1));
        return static_cast<float>(position_weight * part);
    };
    parallel_for((image.height + band - 1) / band, context.threads, context.monitor, [&](std::int64_t task) {
        std::vector<float> row(static_cast<std::size_t>(image.channels * image.width));
        for (std::int64_t y = task * band; y < std::min(image.height, (task + 1) * band); ++y) {
            load_row(image, y, image.width, row.data());
            float* out = features.data() + y * image.width * d;
            for (std::int64_t x = 0; x < image.width; ++x, out += d) {
                for (int c = 0; c < image.channels; ++c) {
                    out[c] = row[static_cast<std::size_t>(c * image.width + x)];
                }
                out[d - 2] = at(x, image.width);
                out[d - 1] = at(y, image.height);
            }
        }
    });
    return features;
}

// Returns the pixels whose lists hold an entry with an unknown pixel, and some more, in the order in
// which searches are quickest.
std::vector<std::int32_t> owners_of(const Wanted& wanted, const Nearest& nearest, int k, const Context& context) {
    const std::int64_t n = wanted.image.pixels();
    std::vector<std::uint8_t> is_owner(static_cast<std::size_t>(n), 1);
    if (wanted.labels != nullptr) {
        std::vector<std::uint8_t> unknown(static_cast<std::size_t>(n));
        std::transform(wanted.labels, wanted.labels + n, unknown.begin(),
                       [](Label label) { return label == Label::unknown ? std::uint8_t{1} : std::uint8_t{0}; });
        nearest.find_near_marked(unknown.data(), k, is_owner.data(), context);
        for (std::size_t p = 0; p < unknown.size(); ++p) {
            is_owner[p] |= unknown[p];
        }
    }
    std::vector<std::int32_t> owners;
    std::copy_if(nearest.order(), nearest.order() + n, std::back_inserter(owners),
                 [&](std::int32_t p) { return is_owner[static_cast<std::size_t>(p)] != 0; });
    return owners;
}

// The sum of the absolute differences of two pixels' features.
double difference(const float* X_p, const float* X_q, int dimensions) {
    double sum = 0;
    for (int c = 0; c < dimensions; ++c) {
        sum += std::abs(static_cast<double>(X_p[c]) - static_cast<double>(X_q[c]));
    }
    return sum;
}

// Finds the lists of all pixels for one weight of the positions, without the entries that hold no
// unknown pixel. `lists` gets one more element for each task.
void find_lists(const Wanted& wanted, int neighbours, double position_weight, bool soft, std::vector<Lists>& lists,
                const Context& context) {
    const int k = neighbours - 1;  // a pixel is its own neighbour, which adds nothing to L
    if (k < 1) {
        return;
    }
    const int d = wanted.image.channels + 2;
    const Buffer<float> features = features_of(wanted.image, position_weight, context);
    const Nearest nearest(features.data(), wanted.image.pixels(), d, context);
    const std::vector<std::int32_t> owners = owners_of(wanted, nearest, k, context);
    const auto count = static_cast<std::int64_t>(owners.size());
    const std::int64_t tasks = (count + pixels_of_task - 1) / pixels_of_task;
    const std::size_t first = lists.size();
    lists.resize(first + static_cast<std::size_t>(tasks));
    parallel_for(tasks, context.threads, context.monitor, [&](std::int64_t task) {
        const std::int32_t* owner = owners.data() + task * pixels_of_task;
        const std::int64_t size = std::min(pixels_of_task, count - task * pixels_of_task);
        std::vector<float> queries(static_cast<std::size_t>(size * d)), distance(static_cast<std::size_t>(size * k));
        for (std::int64_t i = 0; i < size; ++i) {
            const float* X = features.data() + std::int64_t{owner[i]} * d;
            std::copy(X, X + d, queries.data() + i * d);
        }
        std::vector<std::int32_t> found(distance.size());
        nearest.find(queries.data(), size, k, owner, found.data(), distance.data(), context);
        Lists& out = lists[first + static_cast<std::size_t>(task)];
        for (std::int64_t i = 0; i < size; ++i) {
            const bool all = wanted.is_unknown(owner[i]);
            const std::int32_t* list = found.data() + i * k;
            for (const std::int32_t* q = list; q != list + k && *q >= 0; ++q) {
                if (all || wanted.is_unknown(*q)) {
                    out.neighbour.push_back(*q);
                    const float* X_q = features.data() + std::int64_t{*q} * d;
                    if (soft) {
                        const double part = difference(queries.data() + i * d, X_q, d) / C;
                        out.weight.push_back(static_cast<float>(std::max(0.0, 1 - part)));
                    }
                }
            }
            if (out.neighbour.size() > (out.end.empty() ? 0 : out.end.back())) {
                out.owner.push_back(owner[i]);
                out.end.push_back(out.neighbour.size());
            }
        }
        context.monitor.set_fraction(static_cast<double>(task) / static_cast<double>(tasks));
    });
}

// The rows of one picture: for each pixel that has a row, its neighbours and the pixels that it is a
// neighbour of. A pixel comes as often as it is in a list.
class KnnRows : public Affinity {
public:
    KnnRows(const Wanted& wanted, const std::vector<Lists>& lists, const Context& context)
        : row_(wanted.image.pixels()) {
        std::int32_t rows = 0;
        for (std::int64_t p = 0; p < row_.size(); ++p) {
            row_[p] = wanted.has_row(p) ? rows++ : -1;
        }
        start_ = Buffer<std::int64_t>(std::int64_t{rows} + 1);
        std::fill(start_.begin(), start_.end(), 0);
        for (const Lists& some : lists) {
            context.monitor.poll();
            some.for_each([&](std::int32_t p, std::int32_t q, float) {
                start_[row_[p] + 1] += row_[p] >= 0 ? 1 : 0;  // start_[0] stays 0
                start_[row_[q] + 1] += row_[q] >= 0 ? 1 : 0;
            });
        }
        for (std::int64_t i = 0; i < rows; ++i) {
            start_[i + 1] += start_[i];
        }
        other_ = Buffer<std::int32_t>(start_[rows]);
        const bool soft = std::any_of(lists.begin(), lists.end(), [](const Lists& l) { return !l.weight.empty(); });
        weight_ = Buffer<float>(soft ? start_[rows] : 0);
        Buffer<std::int64_t> next(rows);
        std::copy(start_.begin(), start_.end() - 1, next.begin());
        const auto add = [&](std::int32_t to, std::int32_t other, float weight) {
            if (row_[to] >= 0) {
                const std::int64_t at = next[row_[to]]++;
                other_[at] = other;
                if (soft) {
                    weight_[at] = weight;
                }
            }
        };
        for (const Lists& some : lists) {
            context.monitor.poll();
            some.for_each([&](std::int32_t p, std::int32_t q, float weight) {
                add(p, q, weight);
                add(q, p, weight);
            });
        }
    }

    Traits traits() const override { return {0, false, true, false, false}; }
    void check(const ImageView&) const override {}
    std::int64_t band_height() const override { return 16; }

    void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                   Monitor& monitor) const override {
        const std::int64_t width = wanted.image.width;
        Entries entries;
        std::vector<std::int32_t> column;
        std::vector<double> value;
        for (std::int64_t p = y_begin * width; p < y_end * width; ++p) {
            if (p % 1024 == 0) {
                monitor.poll();
            }
            if (row_[p] < 0) {
                continue;
            }
            entries.assign(1, {static_cast<std::int32_t>(p), 0.0f});
            add_beside(wanted, p, entries);
            for (std::int64_t k = start_[row_[p]]; k < start_[row_[p] + 1]; ++k) {
                entries.emplace_back(other_[k], weight_.size() > 0 ? weight_[k] : 1.0f);
            }
            std::sort(entries.begin(), entries.end());
            column.clear();
            value.clear();
            double degree = 0;
            std::size_t diagonal = 0;
            for (const auto& [q, weight] : entries) {
                if (column.empty() || column.back() != q) {
                    diagonal = q == p ? column.size() : diagonal;
                    column.push_back(q);
                    value.push_back(0.0);
                }
                value.back() -= static_cast<double>(weight);
                degree += static_cast<double>(weight);
            }
            value[diagonal] += degree;
            sink.add(p, static_cast<std::int64_t>(column.size()), column.data(), value.data());
        }
    }

private:
    using Entries = std::vector<std::pair<std::int32_t, float>>;

    static void add_beside(const Wanted& wanted, std::int64_t p, Entries& entries) {
        const std::int64_t width = wanted.image.width, x = p % width;
        const std::pair<bool, std::int64_t> around[] = {{p >= width, p - width},
                                                        {x > 0, p - 1},
                                                        {x + 1 < width, p + 1},
                                                        {p + width < wanted.image.pixels(), p + width}};
        for (const auto& [is_inside, q] : around) {
            if (is_inside && (wanted.is_unknown(p) || wanted.is_unknown(q))) {
                entries.emplace_back(static_cast<std::int32_t>(q), beside);
            }
        }
    }

    Buffer<std::int32_t> row_;    // the number of a pixel's row, or -1
    Buffer<std::int64_t> start_;  // where the entries of each row begin
    Buffer<std::int32_t> other_;
    Buffer<float> weight_;  // of each entry; empty if all are 1
};

}  // namespace

void Knn::check(const ImageView& image) const {
    if (image.channels != 1 && image.channels != 3) {
        throw std::invalid_argument("image: expected 1 or 3 channels, got " + std::to_string(image.channels));
    }
}

std::unique_ptr<Affinity> Knn::prepared(const Wanted& wanted, const Context& context) const {
    std::vector<Lists> lists;
    for (int i = 0; i < 2; ++i) {
        find_lists(wanted, options_.neighbours[i], options_.position_weight[i], options_.soft, lists, context);
    }
    return std::make_unique<KnnRows>(wanted, lists, context);
}

void Knn::emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                    Monitor& monitor) const {
    prepared(wanted, {1, monitor})->emit_rows(wanted, y_begin, y_end, sink, monitor);
}

}  // namespace trimatte
