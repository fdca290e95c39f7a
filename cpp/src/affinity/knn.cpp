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
// neighbour of, ascending. A pixel comes as often as it is in a list.
class KnnRows : public Affinity {
public:
    KnnRows(const Wanted& wanted, std::vector<Lists> lists, const Context& context)
        : row_(wanted.image.pixels()), start_(number_rows(wanted) + 1) {
        const std::int64_t pixels = row_.size();
        // First each pixel gets the rows that it has an entry in, in any order. Then the pixels go to
        // these rows one after another, which sorts the rows.
        Buffer<std::int64_t> begin(pixels + 1);
        std::fill(begin.begin(), begin.end(), 0);
        std::fill(start_.begin(), start_.end(), 0);
        for_entries(lists, context.monitor, [&](std::int32_t row, std::int32_t pixel, float) {
            ++begin[pixel];
            ++start_[row];
        });
        const std::int64_t entries = make_starts(begin);
        make_starts(start_);
        const bool soft = std::any_of(lists.begin(), lists.end(), [](const Lists& l) { return !l.weight.empty(); });
        Buffer<std::int32_t> rows(entries);
        Buffer<float> weights(soft ? entries : 0);
        for_entries(lists, context.monitor, [&](std::int32_t row, std::int32_t pixel, float weight) {
            const std::int64_t at = begin[pixel]++;  // in the end begin[pixel] is where the next one begins
            rows[at] = row;
            if (soft) {
                weights[at] = weight;
            }
        });
        lists = {};
        context.monitor.poll();
        other_ = Buffer<std::int32_t>(entries);
        weight_ = Buffer<float>(soft ? entries : 0);
        for (std::int64_t pixel = 0, k = 0; pixel < pixels; ++pixel) {
            for (; k < begin[pixel]; ++k) {
                const std::int64_t at = start_[rows[k]]++;
                other_[at] = static_cast<std::int32_t>(pixel);
                if (soft) {
                    weight_[at] = weights[k];
                }
            }
        }
        std::copy_backward(start_.begin(), start_.end() - 1, start_.end());
        start_[0] = 0;
    }

    Traits traits() const override { return {0, false, true, false, false}; }
    void check(const ImageView&) const override {}
    std::int64_t band_height() const override { return 16; }

    void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                   Monitor& monitor) const override {
        Row row;
        for (std::int64_t p = y_begin * wanted.image.width; p < y_end * wanted.image.width; ++p) {
            if (p % 1024 == 0) {
                monitor.poll();
            }
            if (row_[p] >= 0) {
                fill(wanted, p, row);
                sink.add(p, static_cast<std::int64_t>(row.column.size()), row.column.data(), row.value.data());
            }
        }
    }

private:
    struct Row {
        std::vector<std::int32_t> column;
        std::vector<double> value;
        double degree;

        // Adds an entry. The columns must not descend.
        void add(std::int32_t q, float weight) {
            if (column.empty() || column.back() != q) {
                column.push_back(q);
                value.push_back(0.0);
            }
            value.back() -= static_cast<double>(weight);
            degree += static_cast<double>(weight);
        }
    };

    // Numbers the pixels that have a row, and returns how many there are.
    std::int64_t number_rows(const Wanted& wanted) {
        std::int32_t rows = 0;
        for (std::int64_t p = 0; p < row_.size(); ++p) {
            row_[p] = wanted.has_row(p) ? rows++ : -1;
        }
        return rows;
    }

    // Calls take(row, pixel, weight) for each entry of a row beside the diagonal.
    template <class Take>
    void for_entries(const std::vector<Lists>& lists, Monitor& monitor, const Take& take) const {
        for (const Lists& some : lists) {
            monitor.poll();
            some.for_each([&](std::int32_t p, std::int32_t q, float weight) {
                if (row_[p] >= 0) {
                    take(row_[p], q, weight);
                }
                if (row_[q] >= 0) {
                    take(row_[q], p, weight);
                }
            });
        }
    }

    // Replaces sizes by the places where what has these sizes starts. Returns the sum of the sizes.
    static std::int64_t make_starts(Buffer<std::int64_t>& size) {
        std::int64_t sum = 0;
        for (std::int64_t& v : size) {
            v = std::exchange(sum, sum + v);
        }
        return sum;
    }

    // Merges the entries of a row with the pixel itself and those above and beside it.
    void fill(const Wanted& wanted, std::int64_t p, Row& row) const {
        const std::int64_t width = wanted.image.width, x = p % width;
        const std::pair<bool, std::int64_t> around[] = {{p >= width, p - width},
                                                        {x > 0, p - 1},
                                                        {true, p},
                                                        {x + 1 < width, p + 1},
                                                        {p + width < wanted.image.pixels(), p + width}};
        row.column.clear();
        row.value.clear();
        row.degree = 0;
        std::size_t diagonal = 0;
        std::int64_t k = start_[row_[p]];
        const auto add_until = [&](std::int64_t pixel) {
            for (; k < start_[row_[p] + 1] && other_[k] <= pixel; ++k) {
                row.add(other_[k], weight_.size() > 0 ? weight_[k] : 1.0f);
            }
        };
        for (const auto& [is_inside, q] : around) {
            if (is_inside && (q == p || wanted.is_unknown(p) || wanted.is_unknown(q))) {
                add_until(q);
                row.add(static_cast<std::int32_t>(q), q == p ? 0.0f : beside);
                diagonal = q == p ? row.column.size() - 1 : diagonal;
            }
        }
        add_until(wanted.image.pixels());
        row.value[diagonal] += row.degree;
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
    return std::make_unique<KnnRows>(wanted, std::move(lists), context);
}

void Knn::emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                    Monitor& monitor) const {
    prepared(wanted, {1, monitor})->emit_rows(wanted, y_begin, y_end, sink, monitor);
}

}  // namespace trimatte
