// SPDX-License-Identifier: Apache-2.0
// Which kernel modules to load, and in which order, from depmod's `modules.dep`.
// Who calls it: casemate-image and its tests. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace casemate::image {

/// Paths are as in modules.dep: relative to the directory of that file.
class ModuleTable {
public:
    /// Throws std::runtime_error on a line without a colon.
    static ModuleTable create(const std::string& modules_dep);

    /// The module `name` ('-' and '_' are the same) after everything it depends on.
    /// Throws std::runtime_error when there is no such module.
    [[nodiscard]] std::vector<std::string> load_order(const std::string& name) const;

private:
    std::map<std::string, std::string> path_of_;
    std::map<std::string, std::vector<std::string>> dependencies_of_; // by path, depmod's order
};

/// "kernel/drivers/nvme/host/nvme-core.ko.xz" -> "nvme_core"
[[nodiscard]] std::string module_name(const std::string& path);

} // namespace casemate::image
