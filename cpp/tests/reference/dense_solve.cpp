#include "dense_solve.hpp"

#include <Eigen/Cholesky>

namespace trimatte::test {

Eigen::VectorXd dense_solve(const Eigen::MatrixXd& A, const Eigen::VectorXd& b) { return A.ldlt().solve(b); }

}  // namespace trimatte::test
