#include "prior/known_colours.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/pixel_numbers.hpp"
#include "base/random.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

// At most so many places are taken from anywhere where a kind has none near the unknown region.
constexpr std::int64_t most_elsewhere = 100000;

// Calls body(y) for all rows, in parallel.
template <class Body>
void for_bands(std::int64_t height, int threads, Monitor& monitor, const Body& body) {
    constexpr std::int64_t band = 64;
    parallel_for((height + band - 1) / band, threads, monitor, [&](std::int64_t b) {
        for (std::int64_t y = b * band; y < std::min(height, (b + 1) * band); ++y) {
            body(y);
        }
    });
}

// mark[i] becomes 1 if is_there(j) holds for a j within `reach` of i, else 0.
template <class IsThere>
void mark_near(std::int64_t size, std::int64_t reach, std::uint8_t* mark, const IsThere& is_there) {
    std::int64_t last = -reach - 1;
    for (std::int64_t i = 0; i < size; ++i) {
        last = is_there(i) ? i : last;
        mark[i] = i - last <= reach;
    }
    last = size + reach;
    for (std::int64_t i = size - 1; i >= 0; --i) {
        last = is_there(i) ? i : last;
        mark[i] |= last - i <= reach;
    }
}

// The result is not 0 where an unknown pixel lies within `reach` rows and columns.
std::vector<std::uint8_t> near_unknown(const ImageView& image, const Label* labels, std::int64_t reach, int threads,
                                       Monitor& monitor) {
    const std::int64_t width = image.width, height = image.height;
    std::vector<std::uint8_t> near(static_cast<std::size_t>(image.pixels()));
    for_bands(height, threads, monitor, [&](std::int64_t y) {
        const Label* row = labels + y * width;
        mark_near(width, reach, near.data() + y * width, [&](std::int64_t x) { return row[x] == Label::unknown; });
    });
    // The marks of bit 0 spread down and up the columns, as bit 1.
    constexpr std::int64_t strip = 256;
    const auto beyond = static_cast<std::int32_t>(reach) + 1;
    parallel_for((width + strip - 1) / strip, threads, monitor, [&](std::int64_t s) {
        const std::int64_t begin = s * strip, end = std::min(width, begin + strip);
        std::array<std::int32_t, strip> since;
        const auto pass = [&](std::int64_t from, std::int64_t to, std::int64_t step) {
            since.fill(beyond);
            for (std::int64_t y = from; y != to; y += step) {
                std::uint8_t* row = near.data() + y * width + begin;
                for (std::int64_t x = 0; x < end - begin; ++x) {
                    std::int32_t& steps = since[static_cast<std::size_t>(x)];
                    steps = (row[x] & 1) != 0 ? 0 : std::min(steps + 1, beyond);
                    row[x] |= steps < beyond ? 2 : 0;
                }
            }
        };
        pass(0, height, 1);
        pass(height - 1, -1, -1);
    });
    return near;
}

// Returns the places for which is_wanted(pixel) is true, in the order of the picture.
template <class IsWanted>
std::vector<Place> collect(const ImageView& image, int threads, Monitor& monitor, const IsWanted& is_wanted) {
    std::vector<std::int64_t> start(static_cast<std::size_t>(image.height) + 1, 0);
    for_bands(image.height, threads, monitor, [&](std::int64_t y) {
        std::int64_t count = 0;
        for (std::int64_t p = y * image.width; p < (y + 1) * image.width; ++p) {
            count += is_wanted(p);
        }
        start[static_cast<std::size_t>(y) + 1] = count;
    });
    std::partial_sum(start.begin(), start.end(), start.begin());
    std::vector<Place> places(static_cast<std::size_t>(start.back()));
    for_bands(image.height, threads, monitor, [&](std::int64_t y) {
        Place* out = places.data() + start[static_cast<std::size_t>(y)];
        for (std::int64_t x = 0; x < image.width; ++x) {
            if (is_wanted(y * image.width + x)) {
                *out++ = {static_cast<std::int32_t>(y), static_cast<std::int32_t>(x)};
            }
        }
    });
    return places;
}

// Places sorted into square cells of the rectangle around them. There are about as many cells as
// places.
class CellGrid {
public:
    struct Found {
        std::int64_t distance;  // squared, in pixels
        std::int32_t place;
        bool operator<(const Found& other) const {
            return distance != other.distance ? distance < other.distance : place < other.place;
        }
    };

    explicit CellGrid(const std::vector<Place>& places) : places_(places), in_cell_(places.size()) {
        std::int64_t bottom = 0, right = 0;
        for (const Place& place : places) {
            top_ = std::min<std::int64_t>(top_, place.y);
            left_ = std::min<std::int64_t>(left_, place.x);
            bottom = std::max<std::int64_t>(bottom, place.y);
            right = std::max<std::int64_t>(right, place.x);
        }
        const double area = static_cast<double>(bottom - top_ + 1) * static_cast<double>(right - left_ + 1);
        side_ = static_cast<std::int64_t>(std::max(1.0, std::sqrt(area / static_cast<double>(places.size()))));
        rows_ = (bottom - top_) / side_ + 1;
        columns_ = (right - left_) / side_ + 1;
        start_.resize(static_cast<std::size_t>(rows_ * columns_ + 1), 0);
        for (const Place& place : places) {
            ++start_[cell_of(place) + 1];
        }
        std::partial_sum(start_.begin(), start_.end(), start_.begin());
        std::vector<std::int32_t> next(start_.begin(), start_.end() - 1);
        for (std::size_t i = 0; i < places.size(); ++i) {
            in_cell_[static_cast<std::size_t>(next[cell_of(places[i])]++)] = static_cast<std::int32_t>(i);
        }
    }

    // Writes the numbers of the `count` places nearest to the query to `out`, in ascending order.
    // found: working memory. There must be at least `count` places.
    void find(const Place& query, std::int64_t count, std::vector<Found>& found, std::int32_t* out) const {
        const std::int64_t cy = floor_cell(query.y - top_), cx = floor_cell(query.x - left_);
        found.clear();
        // Rings of cells are looked at, from the first that meets the rectangle, until they hold
        // enough places. The farthest place taken then bounds the rings that may hold nearer ones.
        std::int64_t ring = std::max({std::int64_t{0}, -cy, -cx, cy - rows_ + 1, cx - columns_ + 1});
        while (static_cast<std::int64_t>(found.size()) < count) {
            look_at_ring(query, cy, cx, ring++, found);
        }
        const auto nth = [&] {
            std::nth_element(found.begin(), found.begin() + count - 1, found.end());
            return found[static_cast<std::size_t>(count - 1)].distance;
        };
        const auto reach = static_cast<std::int64_t>(std::sqrt(static_cast<double>(nth())));
        const std::int64_t farthest = std::max({cy, cx, rows_ - 1 - cy, columns_ - 1 - cx});
        for (const std::int64_t last = std::min(reach / side_ + 1, farthest); ring <= last; ++ring) {
            look_at_ring(query, cy, cx, ring, found);
        }
        nth();
        std::transform(found.begin(), found.begin() + count, out, [](const Found& f) { return f.place; });
        std::sort(out, out + count);
    }

private:
    std::size_t cell_of(const Place& place) const {
        return static_cast<std::size_t>((place.y - top_) / side_ * columns_ + (place.x - left_) / side_);
    }
    std::int64_t floor_cell(std::int64_t d) const { return d >= 0 ? d / side_ : -((-d + side_ - 1) / side_); }

    // Adds the places of the cells that lie `ring` rows or columns from cell (cy, cx), at most.
    void look_at_ring(const Place& query, std::int64_t cy, std::int64_t cx, std::int64_t ring,
                      std::vector<Found>& found) const {
        look(query, cy - ring, cx - ring, cx + ring + 1, found);
        for (std::int64_t y = std::max<std::int64_t>(cy - ring + 1, 0); y < std::min(cy + ring, rows_); ++y) {
            look(query, y, cx - ring, cx - ring + 1, found);
            look(query, y, cx + ring, cx + ring + 1, found);
        }
        if (ring > 0) {
            look(query, cy + ring, cx - ring, cx + ring + 1, found);
        }
    }

    // Adds the places of the cells [begin, end) of row y, as far as there are such cells.
    void look(const Place& query, std::int64_t y, std::int64_t begin, std::int64_t end,
              std::vector<Found>& found) const {
        begin = std::max<std::int64_t>(begin, 0);
        end = std::min(end, columns_);
        if (y < 0 || y >= rows_ || begin >= end) {
            return;
        }
        const auto first = static_cast<std::size_t>(y * columns_ + begin);
        const auto last = static_cast<std::size_t>(y * columns_ + end);
        for (std::int32_t i = start_[first]; i < start_[last]; ++i) {
            const std::int32_t p = in_cell_[static_cast<std::size_t>(i)];
            const std::int64_t dy = places_[static_cast<std::size_t>(p)].y - query.y;
            const std::int64_t dx = places_[static_cast<std::size_t>(p)].x - query.x;
            found.push_back({dy * dy + dx * dx, p});
        }
    }

    const std::vector<Place>& places_;
    std::int64_t top_ = INT32_MAX, left_ = INT32_MAX;  // of the rectangle, in pixels
    std::int64_t side_;                                // of a cell, in pixels
    std::int64_t rows_, columns_;                      // numbers of cells
    std::vector<std::int32_t> start_;                  // the first place of each cell in in_cell_
    std::vector<std::int32_t> in_cell_;                // numbers of the places, cell by cell
};

}  // namespace

std::vector<Place> places_of(const ImageView& image, const Label* labels, Label label, int threads, Monitor& monitor) {
    numbered_pixels(image);
    return collect(image, threads, monitor, [&](std::int64_t p) { return labels[p] == label; });
}

KnownPlaces known_near_unknown(const ImageView& image, const Label* labels, std::int64_t reach, int threads,
                               Monitor& monitor) {
    const std::vector<std::uint8_t> near = near_unknown(image, labels, reach, threads, monitor);
    const auto of = [&](Label label) {
        std::vector<Place> places = collect(image, threads, monitor, [&](std::int64_t p) {
            return near[static_cast<std::size_t>(p)] != 0 && labels[p] == label;
        });
        return places.empty() ? some_of(places_of(image, labels, label, threads, monitor), most_elsewhere, 0) : places;
    };
    return {of(Label::foreground), of(Label::background)};
}

std::vector<Place> some_of(std::vector<Place>&& places, std::int64_t count, std::uint64_t seed) {
    if (static_cast<std::int64_t>(places.size()) <= count) {
        return std::move(places);
    }
    // This is Algorithm S of Knuth, The Art of Computer Programming 2, section 3.4.2.
    Random random(seed);
    std::vector<Place> chosen;
    auto left = static_cast<std::int64_t>(places.size());
    for (const Place& place : places) {
        if (random.below(left--) < count - static_cast<std::int64_t>(chosen.size())) {
            chosen.push_back(place);
        }
    }
    return chosen;
}

std::vector<float> colours_at(const ImageView& image, const std::vector<Place>& places, int threads, Monitor& monitor) {
    const std::int64_t channels = image.channels;
    std::vector<float> colours(places.size() * static_cast<std::size_t>(channels));
    parallel_ranges(static_cast<std::int64_t>(places.size()), threads, monitor,
                    [&](std::int64_t begin, std::int64_t end) {
                        std::vector<float> row(static_cast<std::size_t>(image.width * channels));
                        std::int64_t loaded = -1;
                        for (std::int64_t i = begin; i < end; ++i) {
                            const Place& place = places[static_cast<std::size_t>(i)];
                            if (place.y != loaded) {
                                loaded = place.y;
                                load_row(image, loaded, image.width, row.data());
                                monitor.poll();
                            }
                            for (std::int64_t c = 0; c < channels; ++c) {
                                colours[static_cast<std::size_t>(i * channels + c)] =
                                    row[static_cast<std::size_t>(c * image.width + place.x)];
                            }
                        }
                    });
    return colours;
}

std::vector<float> distance_to(const ImageView& image, const Label* labels, Label label, int threads,
                               Monitor& monitor) {
    const std::int64_t width = image.width, height = image.height;
    constexpr float none = std::numeric_limits<float>::infinity();
    std::vector<float> distance(static_cast<std::size_t>(image.pixels()));
    // The distances along the columns are found first, for a few columns at a time.
    constexpr std::int64_t strip = 64;
    parallel_for((width + strip - 1) / strip, threads, monitor, [&](std::int64_t s) {
        const std::int64_t begin = s * strip, end = std::min(width, begin + strip);
        std::array<float, strip> since;
        const auto pass = [&](std::int64_t from, std::int64_t to, std::int64_t step, bool first) {
            since.fill(none);
            for (std::int64_t y = from; y != to; y += step) {
                for (std::int64_t x = begin; x < end; ++x) {
                    float& steps = since[static_cast<std::size_t>(x - begin)];
                    steps = labels[y * width + x] == label ? 0 : steps + 1;
                    float& d = distance[static_cast<std::size_t>(y * width + x)];
                    d = first ? steps : std::min(d, steps);
                }
            }
        };
        pass(0, height, 1, true);
        pass(height - 1, -1, -1, false);
    });
    // Along a row, the squared distance is the lower envelope of the parabolas (x - v)^2 + d(v)^2.
    parallel_for((height + 15) / 16, threads, monitor, [&](std::int64_t band) {
        std::vector<double> squared(static_cast<std::size_t>(width)), from(squared);
        std::vector<std::int64_t> vertex(static_cast<std::size_t>(width));
        for (std::int64_t y = 16 * band; y < std::min(height, 16 * band + 16); ++y) {
            float* d = distance.data() + y * width;
            std::size_t count = 0;
            for (std::int64_t x = 0; x < width; ++x) {
                if (d[x] == none) {
                    continue;
                }
                const auto wide = static_cast<double>(x);
                const double d2 = static_cast<double>(d[x]) * static_cast<double>(d[x]);
                double begins = -1;  // the x from which the new parabola is below the last one
                while (count > 0) {
                    const auto v = static_cast<double>(vertex[count - 1]);
                    begins = (d2 + wide * wide - squared[count - 1] - v * v) / (2 * (wide - v));
                    if (begins > from[count - 1]) {
                        break;
                    }
                    --count;
                }
                vertex[count] = x;
                squared[count] = d2;
                from[count] = count == 0 ? -1 : begins;
                ++count;
            }
            std::size_t at = 0;
            for (std::int64_t x = 0; count > 0 && x < width; ++x) {
                while (at + 1 < count && from[at + 1] < static_cast<double>(x)) {
                    ++at;
                }
                const auto away = static_cast<double>(x - vertex[at]);
                d[x] = static_cast<float>(std::sqrt(away * away + squared[at]));
            }
        }
    });
    return distance;
}

std::vector<std::int32_t> nearest(const std::vector<Place>& places, const std::vector<Place>& queries,
                                  std::int64_t count, int threads, Monitor& monitor) {
    count = std::min(count, static_cast<std::int64_t>(places.size()));
    const CellGrid grid(places);
    std::vector<std::int32_t> result(queries.size() * static_cast<std::size_t>(count));
    constexpr std::int64_t block = 256;
    const auto total = static_cast<std::int64_t>(queries.size());
    parallel_for((total + block - 1) / block, threads, monitor, [&](std::int64_t task) {
        std::vector<CellGrid::Found> found;
        for (std::int64_t q = task * block; q < std::min(total, (task + 1) * block); ++q) {
            monitor.poll();
            grid.find(queries[static_cast<std::size_t>(q)], count, found, result.data() + q * count);
        }
    });
    return result;
}

}  // namespace trimatte
