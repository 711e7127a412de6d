// SPDX-License-Identifier: Apache-2.0
// A program whose whole family of processes ends with its owner, also when the owner is killed: a browser is many processes, and some of
// them leave their parent. Between the two stands a small process that inherits whoever loses its parent.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace casemate::page {

class Keeper {
public:
    /// `environment`: NAME=value, in addition to that of this program.
    Keeper(const std::vector<std::string>& command, const std::filesystem::path& log, const std::vector<std::string>& environment);
    /// Returns when none of them is left.
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

private:
    pid_t pid_ = -1;
};

} // namespace casemate::page
