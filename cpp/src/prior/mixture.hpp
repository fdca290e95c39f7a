// The mixture of a background and a foreground colour that comes nearest to a pixel's colour. This
// header is private to this folder.
#pragma once

namespace trimatte {

struct Mixture {
    float alpha;  // in [0, 1]
    float miss2;  // the squared distance of the mixture's colour to the pixel's
};

// rise: the pixel's colour less the background's; line: the foreground's less the background's.
inline Mixture nearest_mixture(const float rise[3], const float line[3]) {
    const float along = rise[0] * line[0] + rise[1] * line[1] + rise[2] * line[2];
    const float length2 = line[0] * line[0] + line[1] * line[1] + line[2] * line[2];
    float alpha = along / (length2 > 1e-4f ? length2 : 1e-4f);
    alpha = alpha > 0 ? alpha : 0;
    alpha = alpha < 1 ? alpha : 1;
    const float d0 = rise[0] - alpha * line[0], d1 = rise[1] - alpha * line[1], d2 = rise[2] - alpha * line[2];
    return {alpha, d0 * d0 + d1 * d1 + d2 * d2};
}

}  // namespace trimatte
