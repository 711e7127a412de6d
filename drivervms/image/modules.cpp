// SPDX-License-Identifier: Apache-2.0
// Implements modules.hpp. modules.dep(5): "path: dep dep ...", dependencies listed transitively, the one to be
// loaded first comes last.
#include "drivervms/image/modules.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace casemate::image {

std::string module_name(const std::string& path) {
    std::string name = path.substr(path.rfind('/') + 1);
    name = name.substr(0, name.find('.'));
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

ModuleTable ModuleTable::create(const std::string& modules_dep) {
    ModuleTable table;
    std::istringstream lines{modules_dep};
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) throw std::runtime_error("modules.dep: no colon in: " + line);
        const std::string path = line.substr(0, colon);
        table.path_of_[module_name(path)] = path;
        std::istringstream rest{line.substr(colon + 1)};
        for (std::string dependency; rest >> dependency;) table.dependencies_of_[path].push_back(dependency);
    }
    return table;
}

std::vector<std::string> ModuleTable::load_order(const std::string& name) const {
    const auto found = path_of_.find(module_name(name));
    if (found == path_of_.end()) throw std::runtime_error("the kernel package has no module " + name);
    std::vector<std::string> order{found->second};
    if (const auto needs = dependencies_of_.find(found->second); needs != dependencies_of_.end())
        order.insert(order.end(), needs->second.begin(), needs->second.end());
    std::reverse(order.begin(), order.end());
    return order;
}

} // namespace casemate::image
