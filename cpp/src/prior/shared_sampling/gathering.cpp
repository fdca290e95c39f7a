// The gathering of samples (section 4.1 of the paper): an unknown pixel follows a few rays to the
// first known pixels of both kinds, and takes the pair that minimises
//
//   g_p(F, B) = N_p(F, B)^2 A_p(F, B)^2 D_p(F) D_p(B)^4                               (Eq. 7)
//
// N is the sum of the squared distortions M over the pixel and its neighbours (Eq. 3), A compares
// the pair's alpha with the probability of foreground that the paths to the samples give (Eq. 5),
// and D is the distance to the sample (Eq. 6). The paper's exponent of N is 3
// (docs/design/shared_sampling.md).
#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include "prior/shared_sampling/shared_sampling.hpp"
#include "simd/kernels.hpp"

namespace trimatte::sharing {
namespace {

constexpr std::int64_t most_samples = 9;  // of one kind: eight rays, and the nearest known pixel
constexpr std::size_t most_walks = 10;    // eight rays, and the nearest known pixel of each kind
constexpr std::int64_t pattern = 3;       // the rays' directions differ within 3 x 3 pixels
constexpr std::int64_t block_size = 64;   // pixels whose pairs are compared together
constexpr std::int64_t blocks_per_task = 8;

// A line through pixels, one pixel further along its longer axis with each step. dy and dx are the
// parts of a step in units of 2^-31 pixels.
struct Line {
    static constexpr int bits = 31;
    static constexpr std::int64_t half = std::int64_t{1} << (bits - 1);
    std::int64_t dy, dx;

    static Line towards(double y, double x) {
        const double longer = std::max(std::abs(y), std::abs(x));
        return {std::llround(std::ldexp(y / longer, bits)), std::llround(std::ldexp(x / longer, bits))};
    }
    Place at(const Place& from, std::int64_t step) const {
        return {static_cast<std::int32_t>(from.y + ((step * dy + half) >> bits)),
                static_cast<std::int32_t>(from.x + ((step * dx + half) >> bits))};
    }
};

using Lines = std::vector<Line>;

// Returns the directions of the rays of each pixel of the pattern, row by row.
std::array<Lines, pattern * pattern> ray_pattern(std::int64_t rays) {
    std::array<Lines, pattern * pattern> result;
    const double turn = 2 * 3.14159265358979323846;
    for (std::size_t j = 0; j < result.size(); ++j) {
        for (std::int64_t r = 0; r < rays; ++r) {
            const double part = static_cast<double>(j) / static_cast<double>(result.size());
            const double angle = turn * (static_cast<double>(r) + part) / static_cast<double>(rays);
            result[j].push_back(Line::towards(std::sin(angle), std::cos(angle)));
        }
    }
    return result;
}

// For each pixel a number of steps, at most 255, before which no line from it reaches a pixel with
// this label; 0 where the pixel has the label.
std::vector<std::uint8_t> free_steps(const Picture& picture, Label label, Context context) {
    const std::vector<float> distance =
        distance_to(picture.image, picture.labels.data(), label, context.threads, context.monitor);
    std::vector<std::uint8_t> steps(distance.size());
    parallel_ranges(picture.image.pixels(), context.threads, context.monitor,
                    [&](std::int64_t begin, std::int64_t end) {
                        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                            // n steps lead at most sqrt(2) n away.
                            const float d = std::ceil(0.7071f * std::min(distance[i], 360.0f));
                            steps[i] = static_cast<std::uint8_t>(std::min(d, 255.0f));
                        }
                    });
    return steps;
}

constexpr int side_bits = 3;
constexpr std::int64_t side = std::int64_t{1} << side_bits;  // pixels along a square

// A copy of the picture's colours, square by square. A line of any direction stays in a square for
// some pixels, so that it meets fewer lines of the cache and fewer pages than in a picture whose rows
// lie far apart.
class Squares {
public:
    Squares(const ImageView& image, const Context& context)
        : across_((image.width + side - 1) / side),
          colours_(3 * side * side * across_ * ((image.height + side - 1) / side)) {
        with_colours(image, [&](const auto& colours) {
            parallel_for((image.height + side - 1) / side, context.threads, context.monitor, [&](std::int64_t band) {
                for (std::int64_t y = band * side; y < std::min(image.height, (band + 1) * side); ++y) {
                    for (std::int64_t x = 0; x < image.width; ++x) {
                        const Colour C = colours(y * image.width + x);
                        std::copy(C.begin(), C.end(), colours_.data() + place(y, x));
                    }
                }
            });
        });
    }

    Colour at(std::int64_t y, std::int64_t x) const {
        const float* colour = colours_.data() + place(y, x);
        return {colour[0], colour[1], colour[2]};
    }

private:
    std::int64_t place(std::int64_t y, std::int64_t x) const {
        const std::int64_t square = (y >> side_bits) * across_ + (x >> side_bits);
        return 3 * ((square << 2 * side_bits) + ((y & (side - 1)) << side_bits) + (x & (side - 1)));
    }

    std::int64_t across_;
    Buffer<float> colours_;
};

// Returns the numbers of the unknown pixels square by square, since the rays of pixels that lie near
// each other meet the same pixels.
Buffer<std::int32_t> by_squares(const Picture& picture) {
    Buffer<std::int32_t> order(picture.count());
    std::int64_t at = 0;
    for (std::int64_t y = 0; y < picture.image.height; y += side) {
        const std::int64_t bottom = std::min(picture.image.height, y + side);
        std::array<std::int64_t, side> next{};
        std::copy(picture.row_start.begin() + y, picture.row_start.begin() + bottom, next.begin());
        for (std::int64_t right = side; at < picture.row_start[static_cast<std::size_t>(bottom)]; right += side) {
            for (std::int64_t v = y; v < bottom; ++v) {
                std::int64_t& i = next[static_cast<std::size_t>(v - y)];
                const std::int64_t end = picture.row_start[static_cast<std::size_t>(v) + 1];
                for (; i < end && picture.unknown[static_cast<std::size_t>(i)].x < right; ++i) {
                    order[at++] = static_cast<std::int32_t>(i);
                }
            }
        }
    }
    return order;
}

// The samples of one kind of one pixel.
struct Samples {
    struct Sample {
        Place place;
        Line line;
        std::size_t walk;  // samples on one line have one number
        std::int64_t steps;
        Colour colour;
        float distance;
    };
    std::array<Sample, most_samples> all;
    std::size_t count = 0;
    float energy = 0;  // of the path with the least (Eq. 4)

    void add(const Place& place, const Line& line, std::size_t walk, std::int64_t steps) {
        all[count].place = place;
        all[count].line = line;
        all[count].walk = walk;
        all[count].steps = steps;
        ++count;
    }
};

// A walk along a line that has come so far. The energy is the integral of the colour's change (Eq. 4).
struct Walk {
    std::int64_t steps, y, x;
    float energy;
    Colour before;
};

struct Block {
    std::vector<std::int64_t> numbers;  // of the unknown pixels
    std::array<Samples, block_size> F, B;
    // Planes of block_size numbers: the colours of each pixel and its eight neighbours, and those of
    // the samples with one number.
    std::array<float, 27 * block_size> around;
    std::array<std::array<float, 3 * block_size>, most_samples> F_colours, B_colours;
    std::array<float, block_size> N, alpha;
    std::array<double, block_size> least;
    std::array<std::size_t, block_size> f, b;  // the best pair
};

class Gathering {
public:
    Gathering(const Picture& picture, std::int64_t rays, Context context)
        : picture_(picture),
          colours_(picture.image, context),
          context_(context),
          lines_(ray_pattern(rays)),
          to_F_(free_steps(picture, Label::foreground, context)),
          to_B_(free_steps(picture, Label::background, context)),
          tuples_(picture.count()) {}

    Buffer<Tuple> run() {
        const std::int64_t size = block_size * blocks_per_task, tasks = (picture_.count() + size - 1) / size;
        std::vector<std::vector<std::int64_t>> without(static_cast<std::size_t>(tasks));
        const Buffer<std::int32_t> order = by_squares(picture_);
        for_blocks(picture_.count(), [&](std::int64_t place, std::int64_t task, Block& block) {
            const std::int64_t k = order[place];
            look(k, block);
            const std::size_t lane = block.numbers.size();
            if (block.F[lane].count == 0 || block.B[lane].count == 0) {
                without[static_cast<std::size_t>(task)].push_back(k);
            } else {
                block.numbers.push_back(k);
            }
        });
        std::vector<std::int64_t> left;
        for (const auto& some : without) {
            left.insert(left.end(), some.begin(), some.end());
        }
        add_nearest(left);
        return std::move(tuples_);
    }

private:
    // Calls prepare(k, task, block) for k = 0 ... count - 1, which adds pixels to the block, and
    // chooses their pairs.
    template <class Prepare>
    void for_blocks(std::int64_t count, const Prepare& prepare) {
        constexpr std::int64_t size = block_size * blocks_per_task;
        const std::int64_t tasks = (count + size - 1) / size;
        parallel_for(tasks, context_.threads, context_.monitor, [&](std::int64_t task) {
            const auto block = std::make_unique<Block>();
            const std::int64_t end = std::min(count, (task + 1) * size);
            for (std::int64_t begin = task * size; begin < end; begin += block_size) {
                context_.monitor.poll();
                block->numbers.clear();
                for (std::int64_t k = begin; k < std::min(end, begin + block_size); ++k) {
                    prepare(k, task, *block);
                }
                choose(*block);
            }
            context_.monitor.set_fraction(static_cast<double>(task) / static_cast<double>(tasks));
        });
    }

    // Where no ray of a pixel meets a kind, the nearest known pixel of the kind is its sample.
    void add_nearest(const std::vector<std::int64_t>& left) {
        if (left.empty()) {
            return;
        }
        std::vector<Place> places;
        for (const std::int64_t i : left) {
            places.push_back(picture_.unknown[static_cast<std::size_t>(i)]);
        }
        const auto [threads, monitor] = context_;
        const KnownPlaces known = known_near_unknown(picture_.image, picture_.labels.data(), 1, threads, monitor);
        const std::vector<std::int32_t> F = nearest(known.foreground, places, 1, threads, monitor);
        const std::vector<std::int32_t> B = nearest(known.background, places, 1, threads, monitor);
        const auto add = [](const Place& p, const Place& q, std::size_t walk, Samples& samples) {
            const std::int32_t dy = q.y - p.y, dx = q.x - p.x;
            samples.add(q, Line::towards(dy, dx), walk, std::max(std::abs(dy), std::abs(dx)));
        };
        for_blocks(static_cast<std::int64_t>(left.size()), [&](std::int64_t k, std::int64_t, Block& block) {
            const auto n = static_cast<std::size_t>(k);
            look(left[n], block);
            const std::size_t lane = block.numbers.size();
            if (block.F[lane].count == 0) {
                add(places[n], known.foreground[static_cast<std::size_t>(F[n])], most_walks - 2, block.F[lane]);
            }
            if (block.B[lane].count == 0) {
                add(places[n], known.background[static_cast<std::size_t>(B[n])], most_walks - 1, block.B[lane]);
            }
            block.numbers.push_back(left[n]);
        });
    }

    // Finds the samples on the pixel's rays, for the next lane of the block.
    void look(std::int64_t i, Block& block) const {
        const Place& p = picture_.unknown[static_cast<std::size_t>(i)];
        const std::size_t lane = block.numbers.size();
        block.F[lane].count = block.B[lane].count = 0;
        const Lines& lines = lines_[static_cast<std::size_t>(p.y % pattern * pattern + p.x % pattern)];
        for (std::size_t r = 0; r < lines.size(); ++r) {
            follow(p, lines[r], r, to_F_, block.F[lane]);
            follow(p, lines[r], r, to_B_, block.B[lane]);
        }
    }

    void follow(const Place& p, const Line& line, std::size_t ray, const std::vector<std::uint8_t>& free,
                Samples& samples) const {
        std::int64_t steps = 0;
        for (Place q = p; picture_.inside(q.y, q.x); q = line.at(p, steps)) {
            const std::int64_t next = free[static_cast<std::size_t>(picture_.pixel(q.y, q.x))];
            if (next == 0) {
                samples.add(q, line, ray, steps);
                return;
            }
            steps += next;
        }
    }

    // Sorts the samples by their steps, and measures their colours and distances.
    void measure(const Place& p, Samples& samples) const {
        std::stable_sort(samples.all.begin(), samples.all.begin() + static_cast<std::ptrdiff_t>(samples.count),
                         [](const auto& s, const auto& t) { return s.steps < t.steps; });
        for (std::size_t k = 0; k < samples.count; ++k) {
            auto& s = samples.all[k];
            s.colour = colours_.at(s.place.y, s.place.x);
            const auto dy = static_cast<float>(s.place.y - p.y), dx = static_cast<float>(s.place.x - p.x);
            s.distance = std::sqrt(dy * dy + dx * dx);
        }
    }

    // Finds the least energies of the paths to both kinds of sorted samples, the shortest path first.
    // Samples on one line share the way to the nearer one. A path is left where it exceeds the least
    // so far.
    void find_energies(const Place& p, Samples& F, Samples& B) const {
        std::array<Walk, most_walks> walks;
        walks.fill({0, Line::half, Line::half, 0, colours_.at(p.y, p.x)});
        F.energy = B.energy = std::numeric_limits<float>::infinity();
        for (std::size_t f = 0, b = 0; f < F.count || b < B.count;) {
            const bool is_F = b == B.count || (f < F.count && F.all[f].steps < B.all[b].steps);
            const Samples::Sample& s = is_F ? F.all[f++] : B.all[b++];
            float& least = is_F ? F.energy : B.energy;
            go_on(walks[s.walk], p, s.line, s.steps, least);
            least = std::min(least, walks[s.walk].energy);
        }
    }

    // Goes on with a walk up to a number of steps, or until its energy has reached `limit`.
    void go_on(Walk& walk, const Place& p, const Line& line, std::int64_t end, float limit) const {
        Walk w = walk;
        for (; w.steps < end && w.energy < limit; ++w.steps) {
            w.y += line.dy;
            w.x += line.dx;
            const Colour here = colours_.at(p.y + (w.y >> Line::bits), p.x + (w.x >> Line::bits));
            w.energy += std::sqrt(distance2(w.before, here));
            w.before = here;
        }
        walk = w;
    }

    void choose(Block& block) {
        std::size_t most_F = 0, most_B = 0;
        for (std::size_t lane = 0; lane < block.numbers.size(); ++lane) {
            const Place& p = picture_.unknown[static_cast<std::size_t>(block.numbers[lane])];
            measure(p, block.F[lane]);
            measure(p, block.B[lane]);
            find_energies(p, block.F[lane], block.B[lane]);
            load(p, lane, block);
            most_F = std::max(most_F, block.F[lane].count);
            most_B = std::max(most_B, block.B[lane].count);
        }
        block.least.fill(std::numeric_limits<double>::infinity());
        block.f.fill(0);
        block.b.fill(0);
        for (std::size_t f = 0; f < most_F; ++f) {
            for (std::size_t b = 0; b < most_B; ++b) {
                simd::kernels().pair_distortions(static_cast<std::int64_t>(block.numbers.size()), block.around.data(),
                                                 block.F_colours[f].data(), block.B_colours[b].data(), block_size,
                                                 block.N.data(), block.alpha.data());
                compare(block, f, b);
            }
        }
        for (std::size_t lane = 0; lane < block.numbers.size(); ++lane) {
            const auto &F = block.F[lane].all[block.f[lane]], &B = block.B[lane].all[block.b[lane]];
            tuples_[block.numbers[lane]] = {F.colour, B.colour, variance(F.place, F.colour),
                                            variance(B.place, B.colour)};
        }
    }

    // Writes the colours around the pixel and those of its samples to the block's planes. A lane
    // with fewer samples than others repeats its last.
    void load(const Place& p, std::size_t lane, Block& block) const {
        const ImageView& image = picture_.image;
        std::size_t q = 1;
        for (std::int64_t dy = -1; dy <= 1; ++dy) {
            for (std::int64_t dx = -1; dx <= 1; ++dx) {
                const std::int64_t y = std::clamp<std::int64_t>(p.y + dy, 0, image.height - 1);
                const std::int64_t x = std::clamp<std::int64_t>(p.x + dx, 0, image.width - 1);
                const Colour C = colours_.at(y, x);
                const std::size_t at = dy == 0 && dx == 0 ? 0 : q++;
                for (std::size_t c = 0; c < 3; ++c) {
                    block.around[(3 * at + c) * block_size + lane] = C[c];
                }
            }
        }
        for (std::size_t k = 0; k < most_samples; ++k) {
            const Colour& F = block.F[lane].all[std::min(k, block.F[lane].count - 1)].colour;
            const Colour& B = block.B[lane].all[std::min(k, block.B[lane].count - 1)].colour;
            for (std::size_t c = 0; c < 3; ++c) {
                block.F_colours[k][c * block_size + lane] = F[c];
                block.B_colours[k][c * block_size + lane] = B[c];
            }
        }
    }

    // Keeps the pair (f, b) of each pixel where it costs less than the best before. Flat colours have
    // N = 0 for many pairs, and `least` lets the other factors choose among these.
    static void compare(Block& block, std::size_t f, std::size_t b) {
        constexpr double least = 1e-5;
        for (std::size_t lane = 0; lane < block.numbers.size(); ++lane) {
            const Samples &F = block.F[lane], &B = block.B[lane];
            if (f >= F.count || b >= B.count) {
                continue;
            }
            const double eF = F.energy, eB = B.energy;
            const double PF = eF + eB > 0 ? eB / (eF + eB) : 0.5;
            const double A = PF + (1 - 2 * PF) * static_cast<double>(block.alpha[lane]) + least;
            const double N = static_cast<double>(block.N[lane]) + least;
            const double DF = F.all[f].distance, DB = B.all[b].distance;
            const double g = N * N * A * A * DF * (DB * DB) * (DB * DB);
            if (g < block.least[lane]) {
                block.least[lane] = g;
                block.f[lane] = f;
                block.b[lane] = b;
            }
        }
    }

    // The mean squared distance of the colours of the 5 x 5 pixels around a sample to its own.
    float variance(const Place& p, const Colour& C) const {
        const ImageView& image = picture_.image;
        float sum = 0;
        int count = 0;
        for (std::int64_t y = std::max(0, p.y - 2); y <= std::min<std::int64_t>(image.height - 1, p.y + 2); ++y) {
            for (std::int64_t x = std::max(0, p.x - 2); x <= std::min<std::int64_t>(image.width - 1, p.x + 2); ++x) {
                sum += distance2(C, colours_.at(y, x));
                ++count;
            }
        }
        return sum / static_cast<float>(count);
    }

    const Picture& picture_;
    Squares colours_;
    Context context_;
    std::array<Lines, pattern * pattern> lines_;
    std::vector<std::uint8_t> to_F_, to_B_;
    Buffer<Tuple> tuples_;
};

}  // namespace

Buffer<Tuple> gather(const Picture& picture, std::int64_t rays, Context context) {
    return Gathering(picture, rays, context).run();
}

}  // namespace trimatte::sharing
