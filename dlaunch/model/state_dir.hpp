// SPDX-License-Identifier: Apache-2.0
// The private 0700 directory of one platform: everything that it writes lies here and goes when it goes.
// A small shell process (the janitor) waits for the end of this process and removes the directory even when we
// were killed with SIGKILL.
#pragma once

#include "dlaunch/model/unique_fd.hpp"

#include <filesystem>

namespace casemate::model {

class StateDir {
public:
    static Outcome<StateDir> create();
    StateDir(StateDir&&) = default;
    StateDir& operator=(StateDir&&) = default;
    ~StateDir();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    StateDir(std::filesystem::path path, UniqueFd life, int janitor)
        : path_{std::move(path)}, life_line_{std::move(life)}, janitor_{janitor} {}

    std::filesystem::path path_;
    UniqueFd life_line_; // the janitor acts when every copy of it is closed; empty once moved from
    int janitor_;
};

} // namespace casemate::model
