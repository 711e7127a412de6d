// SPDX-License-Identifier: Apache-2.0
// See command.hpp.
#include "policy/compiler/command.hpp"

#include "policy/model/payload.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace casemate::policy {

int refuse(const std::string& what) {
    std::cerr << "casemate-policy: " << what << "\n";
    return 1;
}

bool report(const std::string& path, const std::vector<Problem>& problems) {
    for (const Problem& problem : problems)
        std::cerr << path << ":" << (problem.line != 0 ? std::to_string(problem.line) + ":" : "") << " " << problem.what << "\n";
    return problems.empty();
}

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream stream{path, std::ios::binary};
    if (!stream) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

bool write_file(const std::string& path, const Bytes& bytes) {
    const std::string aside = path + ".part";
    std::ofstream out{aside, std::ios::binary | std::ios::trunc};
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    out.close();
    std::error_code problem;
    if (out) std::filesystem::rename(aside, path, problem);
    return out && !problem;
}

std::unique_ptr<Source> read_policy(const std::string& path, const PublicKey& grant_key, const std::string& inventory_file) {
    Inventory inventory;
    if (!inventory_file.empty()) {
        const auto listing = read_file(inventory_file);
        inventory = parse_inventory(listing.value_or(""));
        if (!report(inventory_file, inventory.problems)) return nullptr;
    }
    const auto text = read_file(path);
    if (!text) {
        refuse("cannot read " + path);
        return nullptr;
    }
    auto source = std::make_unique<Source>(read_source(*text, grant_key, inventory_file.empty() ? nullptr : &inventory));
    return report(path, source->problems) ? std::move(source) : nullptr;
}

std::unique_ptr<Opened> open_file(const std::string& path) {
    const auto no = [&](const std::string& why) {
        refuse(path + ": " + why);
        return nullptr;
    };
    const auto text = read_file(path);
    if (!text) return no("cannot be read");
    auto opened = std::make_unique<Opened>();
    opened->bytes.assign(text->begin(), text->end());
    const auto bundle = open_bundle(opened->bytes);
    if (!bundle.ok()) return no(describe(bundle.error()));
    const auto verified = verify_bundle(bundle.value());
    if (!verified.ok() && verified.error() != BundleError::threshold) return no(describe(verified.error()));
    const auto result = parse_policy(bundle.value().payload(), opened->policy);
    if (!result.ok()) return no(describe(result.error().rule));
    opened->bundle = bundle.value();
    opened->complete = verified.ok();
    return opened;
}

} // namespace casemate::policy
