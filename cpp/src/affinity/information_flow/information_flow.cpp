#include "trimatte/information_flow.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "affinity/information_flow/colour_mixture.hpp"
#include "base/pixel_numbers.hpp"
#include "neighbours/nearest.hpp"

namespace trimatte {
namespace {

// Weights of the place beside the colour in the features: of the colour mixture, and of similar
// unknown pixels, which may be far apart.
constexpr double mixture_place = 1;
constexpr double similar_place = 0.05;

// Unknown pixels whose neighbours are searched in one call, so that the lists are short and a call
// can be stopped.
constexpr std::int64_t batch = 1 << 16;

double similarity(const float* a, const float* b) {
    double distance = 0;
    for (int i = 0; i < Features::dimensions; ++i) {
        distance += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    }
    return std::max(0.0, 1 - distance);
}

// Calls use(i, found) for each unknown pixel: found are the k points nearest to it, itself left out.
// `number` gives the name of an unknown pixel among the points.
template <class Number, class Use>
void for_neighbours(const Nearest& points, const Features& features, const Buffer<std::int32_t>& unknown, int k,
                    const Context& context, const Number& number, const Use& use) {
    for (std::int64_t first = 0; first < unknown.size(); first += batch) {
        const std::int64_t count = std::min(batch, unknown.size() - first);
        const Buffer<float> queries = features.of_all(unknown.data() + first, count, context);
        Buffer<std::int32_t> own(count), found(count * k);
        Buffer<float> distance(count * k);
        for (std::int64_t i = 0; i < count; ++i) {
            own[i] = number(first + i);
        }
        points.find(queries.data(), count, k, own.data(), found.data(), distance.data(), context);
        parallel_ranges(count, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                use(first + i, found.data() + i * k);
            }
        });
    }
}

}  // namespace

// The entries of one row of the operator, gathered in any order: a hash table of the columns with
// open addressing.
class InformationFlow::Row {
public:
    void add(std::int32_t column, double value) {
        if (2 * used_.size() >= column_.size()) {
            grow();
        }
        const std::size_t at = place(column);
        if (column_[at] < 0) {
            column_[at] = column;
            used_.push_back(at);
        }
        value_[at] += value;
    }

    // Passes the row to the sink, and begins a new one.
    void pass_on(std::int64_t pixel, RowSink& sink) {
        std::sort(used_.begin(), used_.end(), [&](std::size_t a, std::size_t b) { return column_[a] < column_[b]; });
        sorted_column_.clear();
        sorted_value_.clear();
        for (const std::size_t at : used_) {
            sorted_column_.push_back(column_[at]);
            sorted_value_.push_back(value_[at]);
            column_[at] = -1;
            value_[at] = 0;
        }
        used_.clear();
        sink.add(pixel, static_cast<std::int64_t>(sorted_column_.size()), sorted_column_.data(), sorted_value_.data());
    }

private:
    std::size_t place(std::int32_t column) const {
        const std::size_t mask = column_.size() - 1;
        std::size_t at = (static_cast<std::uint32_t>(column) * 2654435769u >> 8) & mask;
        while (column_[at] >= 0 && column_[at] != column) {
            at = (at + 1) & mask;
        }
        return at;
    }

    void grow() {
        Row larger;
        larger.column_.assign(2 * column_.size(), -1);
        larger.value_.assign(2 * column_.size(), 0.0);
        for (const std::size_t at : used_) {
            larger.add(column_[at], value_[at]);
        }
        *this = std::move(larger);
    }

    // The size is a power of two. A column of -1 marks a free place, whose value is 0.
    std::vector<std::int32_t> column_ = std::vector<std::int32_t>(1024, -1), sorted_column_;
    std::vector<double> value_ = std::vector<double>(1024, 0.0), sorted_value_;
    std::vector<std::size_t> used_;
};

InformationFlow::InformationFlow(const ImageView& image, const Label* labels, const InformationFlowOptions& options,
                                 const Context& context)
    : options_(options),
      local_(options.epsilon),
      pixels_(numbered_pixels(image)),
      unknown_(pixels_of(labels, pixels_, Label::unknown)),
      neighbour_(unknown_.size() * slots()),
      weight_(unknown_.size() * slots()) {
    check(image);
    context.monitor.phase("neighbours");
    find_mixtures(image, context);
    context.monitor.set_fraction(0.7);
    find_similar(image, context);
    context.monitor.set_fraction(0.9);
    make_links(context.monitor);
    context.monitor.finish();
}

void InformationFlow::check(const ImageView& image) const {
    local_.check(image);
    if (image.pixels() != pixels_) {
        throw std::invalid_argument("image: expected the picture whose flows were found");
    }
}

// Fills the first slots: w^CM of the K_CM pixels of the picture that are nearest in colour and
// place.
void InformationFlow::find_mixtures(const ImageView& image, const Context& context) {
    const Features features(image, mixture_place, context);
    const Nearest points(features.of(0), features.pixels(), Features::dimensions, context);
    const int k = options_.mixture_neighbours;
    const auto number = [&](std::int64_t i) { return unknown_[i]; };
    for_neighbours(points, features, unknown_, k, context, number, [&](std::int64_t i, const std::int32_t* found) {
        std::copy_n(found, k, neighbour_.data() + i * slots());
        mix(features, unknown_[i], found, k, weight_.data() + i * slots());
    });
}

// Fills the other slots: sigma_UU w^UU of the K_UU most similar unknown pixels.
void InformationFlow::find_similar(const ImageView& image, const Context& context) {
    const Features features(image, similar_place, context);
    const Nearest points(features.of(0), features.pixels(), Features::dimensions, context, unknown_.data(),
                         unknown_.size());
    const int k = options_.unknown_neighbours;
    const auto number = [&](std::int64_t i) { return unknown_[i]; };
    for_neighbours(points, features, unknown_, k, context, number, [&](std::int64_t i, const std::int32_t* found) {
        for (int slot = 0; slot < k; ++slot) {
            const std::int64_t at = i * slots() + options_.mixture_neighbours + slot;
            neighbour_[at] = found[slot];
            weight_[at] = found[slot] < 0 ? 0.0
                                          : options_.unknown_weight *
                                                similarity(features.of(unknown_[i]), features.of(found[slot]));
        }
    });
}

void InformationFlow::make_links(Monitor& monitor) {
    monitor.poll();
    place_ = Buffer<std::int32_t>(pixels_);
    std::fill(place_.begin(), place_.end(), -1);
    for (const std::int32_t q : unknown_) {
        place_[q] = 0;
    }
    for (const std::int32_t q : neighbour_) {
        if (q >= 0) {
            place_[q] = 0;
        }
    }
    std::int32_t touched = 0;
    for (std::int32_t& place : place_) {
        place = place == 0 ? touched++ : -1;
    }
    number_ = Buffer<std::int32_t>(touched);
    std::fill(number_.begin(), number_.end(), -1);
    for (std::int64_t i = 0; i < unknown_.size(); ++i) {
        number_[place_[unknown_[i]]] = static_cast<std::int32_t>(i);
    }
    start_ = Buffer<std::int64_t>(touched + 1);
    std::fill(start_.begin(), start_.end(), 0);
    monitor.poll();
    for (const std::int32_t q : neighbour_) {
        start_[q >= 0 ? place_[q] + 1 : 0] += q >= 0;
    }
    for (std::int64_t i = 0; i < touched; ++i) {
        start_[i + 1] += start_[i];
    }
    link_ = Buffer<std::int64_t>(start_[touched]);
    std::vector<std::int64_t> next(start_.begin(), start_.end());
    for (std::int64_t at = 0; at < neighbour_.size(); ++at) {
        if (at % batch == 0) {
            monitor.poll();
        }
        if (neighbour_[at] >= 0) {
            link_[next[static_cast<std::size_t>(place_[neighbour_[at]])]++] = at;
        }
    }
}

// Adds row q of the mixtures' and the similar pixels' terms. Unknown pixel p has the term
// (x_p - sum w_pk x_k)^2, which adds m_q m to row q for every coefficient m, and the terms
// w_pk (x_p - x_k)^2.
void InformationFlow::add_flows(std::int32_t pixel, Row& row) const {
    const std::int32_t place = place_[pixel];
    if (place < 0) {
        return;
    }
    const int mixture = options_.mixture_neighbours;
    const auto add_mixture = [&](std::int64_t i, double factor) {
        row.add(unknown_[i], factor);
        for (std::int64_t at = i * slots(); at < i * slots() + mixture; ++at) {
            if (neighbour_[at] >= 0) {
                row.add(neighbour_[at], -factor * weight_[at]);
            }
        }
    };
    const auto add_similar = [&](std::int32_t other, double w) {
        row.add(pixel, w);
        row.add(other, -w);
    };
    const std::int32_t i = number_[place];
    if (i >= 0) {
        add_mixture(i, 1);
        for (std::int64_t at = i * std::int64_t{slots()} + mixture; at < (i + std::int64_t{1}) * slots(); ++at) {
            if (neighbour_[at] >= 0) {
                add_similar(neighbour_[at], weight_[at]);
            }
        }
    }
    for (std::int64_t l = start_[place]; l < start_[place + 1]; ++l) {
        const std::int64_t at = link_[l], from = at / slots();
        if (at % slots() < mixture) {
            add_mixture(from, -weight_[at]);
        } else {
            add_similar(unknown_[from], weight_[at]);
        }
    }
}

void InformationFlow::emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                                Monitor& monitor) const {
    class WithFlows : public RowSink {
    public:
        WithFlows(const InformationFlow& flow, RowSink& to) : flow_(flow), to_(to) {}
        void add(std::int64_t pixel, std::int64_t count, const std::int32_t* column, const double* value) override {
            for (std::int64_t k = 0; k < count; ++k) {
                row_.add(column[k], flow_.options_.local_weight * value[k]);
            }
            flow_.add_flows(static_cast<std::int32_t>(pixel), row_);
            row_.pass_on(pixel, to_);
        }

    private:
        const InformationFlow& flow_;
        RowSink& to_;
        Row row_;
    } rows(*this, sink);
    local_.emit_rows(wanted, y_begin, y_end, rows, monitor);
}

void known_to_unknown_flow(const ImageView& image, const Label* labels, int neighbours, float* alpha, float* confidence,
                           const Context& context) {
    context.monitor.phase("known to unknown");
    constexpr double place_weight = 10;  // favours known pixels that are near
    const std::int64_t pixels = numbered_pixels(image);
    const Features features(image, place_weight, context);
    const Buffer<std::int32_t> unknown = pixels_of(labels, pixels, Label::unknown);
    Buffer<std::int32_t> sources(unknown.size() * 2 * neighbours);
    int kind = 0;
    for (const Label label : {Label::foreground, Label::background}) {
        const Buffer<std::int32_t> known = pixels_of(labels, pixels, label);
        const Nearest points(features.of(0), features.pixels(), Features::dimensions, context, known.data(),
                             known.size());
        const auto nobody = [](std::int64_t) { return -1; };
        for_neighbours(points, features, unknown, neighbours, context, nobody,
                       [&](std::int64_t i, const std::int32_t* found) {
                           std::copy_n(found, neighbours, sources.data() + (2 * i + kind) * neighbours);
                       });
        context.monitor.set_fraction(0.5 * ++kind);
    }
    parallel_ranges(unknown.size(), context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        std::vector<double> w(static_cast<std::size_t>(2 * neighbours));
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int32_t* source = sources.data() + 2 * i * neighbours;
            mix(features, unknown[i], source, 2 * neighbours, w.data());
            double share[2] = {}, colour[2][3] = {};
            for (int k = 0; k < 2 * neighbours; ++k) {
                const int of = k / neighbours;
                share[of] += w[static_cast<std::size_t>(k)];
                for (int c = 0; source[k] >= 0 && c < 3; ++c) {
                    colour[of][c] += w[static_cast<std::size_t>(k)] * static_cast<double>(features.of(source[k])[c]);
                }
            }
            double difference = 0;
            for (int c = 0; c < 3; ++c) {
                const double d = colour[0][c] / share[0] - colour[1][c] / share[1];
                difference += d * d / 3;
            }
            alpha[unknown[i]] = static_cast<float>(std::clamp(share[0], 0.0, 1.0));
            // A share of zero makes the difference infinite or no number at all.
            confidence[unknown[i]] = difference < 1 ? static_cast<float>(difference) : 1.0f;
        }
    });
    context.monitor.finish();
}

}  // namespace trimatte
