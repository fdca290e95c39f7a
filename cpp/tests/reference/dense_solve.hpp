// The reference of all solvers: a dense LDL^T factorisation.
#pragma once

#include <Eigen/Core>

namespace trimatte::test {

Eigen::VectorXd dense_solve(const Eigen::MatrixXd& A, const Eigen::VectorXd& b);

}  // namespace trimatte::test
